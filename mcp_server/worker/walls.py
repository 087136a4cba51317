"""The walls a worker puts around itself before it sees a byte of the plugin.

Everything here only ever takes rights away. What a kernel does not offer is reported as absent, never
pretended: :func:`wall_in` returns which walls are up, and the server shows it.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import platform
import resource
import signal
import struct
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["WallOrder", "allow_cpu", "batch_threads", "demote", "die_with_parent", "wall_in"]

MIB = 1024 * 1024
BASE_DATA = 192 * MIB
"""Interpreter, engine, compiled code and thread stacks, before any guest memory (60 MiB seen with 100 lanes)."""
OPEN_FILES = 64
FILE_SIZE = 512 * MIB  # only the compile cache is ever written
NICENESS = 5
LASTING_NICENESS = 9
"""Of a thread whose call lasts: enough to let short calls by, not so much that other work on the machine starves it."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
# Landlock system calls have one number on every architecture (linux/landlock.h).
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_libc: Any = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class WallOrder:
    """What one worker is allowed.

    Attributes:
        memory: Bytes of guest memory that the whole process may use at one time.
        load_seconds: CPU seconds until the module must be loaded.
        cache: The one folder it may read and write: compiled code of this very module.
        empty: An empty folder to stand in.
    """

    memory: int
    load_seconds: int
    cache: Path
    empty: Path


def wall_in(order: WallOrder) -> dict[str, bool | int]:
    """Put up every wall the kernel offers; returns which are up."""
    os.chdir(order.empty)
    os.nice(NICENESS)
    _limit_resources(order)
    up: dict[str, bool | int] = {"rlimits": True, "no_new_privs": False, "landlock": 0, "seccomp": False}
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # no core file, no ptrace, /proc/<pid> closed to the same user
        _drop_privileges()
        up["no_new_privs"] = _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        up["landlock"] = _restrict_files(order.cache)
        up["seccomp"] = _filter_system_calls()
    return up


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends; ends now if the parent is gone already."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


@contextlib.contextmanager
def batch_threads() -> Generator[None]:
    """Threads started inside are SCHED_BATCH (Linux): they never preempt the thread that woke them.

    libextism wakes its timer thread twice a call, and the timer then pushes the guest off its core: without this a
    round trip takes 39.8 µs and 28.8 µs of CPU, with it 30.5 and 18.7. Deadlines are the parent's, so a timer that
    waits its turn costs nothing; a cancel still arrives within 11 ms beside four spinning guests.
    """
    if sys.platform != "linux":
        yield
        return
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def allow_cpu(seconds: int) -> None:
    """Move the CPU limit on: from now, every core may be busy for ``seconds`` and a margin, then SIGXCPU."""
    used = math.ceil(time.process_time())
    with contextlib.suppress(ValueError):  # a lower hard limit of the machine stays what it is
        resource.setrlimit(resource.RLIMIT_CPU, (used + (seconds + 5) * (os.cpu_count() or 1), resource.RLIM_INFINITY))


def demote(thread: int) -> None:
    """Let one thread of this process (its native id) run below the others; not to be taken back."""
    if sys.platform == "linux":  # elsewhere a priority belongs to the process
        os.setpriority(os.PRIO_PROCESS, thread, LASTING_NICENESS)


def _drop_privileges() -> None:
    """Give up every Linux capability; without this a worker of a root server could raise its own limits."""
    header = struct.pack("=Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    _libc.capset(header, bytes(24))


def _limit_resources(order: WallOrder) -> None:
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: FILE_SIZE,
        # DATA and not AS: an instance reserves 16 GB of addresses, DATA counts what can really be written.
        resource.RLIMIT_DATA: BASE_DATA + order.memory,
    }
    for kind, value in wanted.items():
        with contextlib.suppress(ValueError):  # a lower hard limit of the machine stays what it is
            resource.setrlimit(kind, (value, value))
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (order.load_seconds + 2, resource.RLIM_INFINITY))


# --- Landlock: no file but the own cache, no TCP, no signals to others -------------------------------------------

_FS_RIGHTS_BY_ABI = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_NET_RIGHTS = 0x3  # bind and connect TCP, since ABI 4
_SCOPES = 0x3  # abstract unix sockets and signals, since ABI 6
_CACHE_RIGHTS = 0x2 | 0x4 | 0x8 | 0x20 | 0x10 | 0x80 | 0x100  # write, read, read dir, remove, make dir, make file
_EXECUTE = 0x1


def _restrict_files(cache: Path) -> int:
    """Landlock's ABI version when it holds, else 0."""
    abi = _libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if abi < 1:
        return 0
    handled = _FS_RIGHTS_BY_ABI[min(abi, 5)]
    attributes = struct.pack("=Q", handled)
    if abi >= 4:
        attributes += struct.pack("=Q", _NET_RIGHTS)
    if abi >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    ruleset = _libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return 0
    folder = os.open(cache, os.O_PATH | os.O_DIRECTORY)
    refer = 0x2000 if abi >= 2 else 0  # rename between folders below the cache
    truncate = 0x4000 if abi >= 3 else 0
    rule = struct.pack("=Qi", (_CACHE_RIGHTS | 0x1 << 5 | refer | truncate) & handled & ~_EXECUTE, folder)
    added = _libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0)
    held = _libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(folder)
    os.close(ruleset)
    return abi if added == 0 and held == 0 else 0


# --- seccomp: no new process, no socket, no look into others ------------------------------------------------------

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name: (x86_64, aarch64) from asm/unistd_64.h and asm-generic/unistd.h; -1 where the architecture has none
_DENIED: dict[str, tuple[int, int]] = {
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kill": (62, 129),
    "tkill": (200, 130),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "mount": (165, 40),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "reboot": (169, 142),
    "swapon": (167, 224),
}
_CLONE, _CLONE3, _TGKILL = (56, 220), (435, 435), (234, 131)
_CLONE_THREAD = 0x10000
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NR, _ARCH, _ARG0 = 0, 4, 16  # offsets in struct seccomp_data, little endian


def _filter_system_calls() -> bool:
    """Install the filter; False where this architecture or kernel has none."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return False
    column = 0 if machine == "x86_64" else 1
    program = _program(_ARCHITECTURES[machine], column)
    code = ctypes.create_string_buffer(b"".join(program), 8 * len(program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    return _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) == 0


def _program(architecture: int, column: int) -> list[bytes]:
    """The BPF program: foreign architectures die, the denied calls fail with EPERM, threads are let through."""

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("HBBI", code, then, otherwise, value)

    denied = [numbers[column] for numbers in _DENIED.values() if numbers[column] >= 0]
    steps = [step(_LOAD, _ARCH), step(_EQUAL, architecture, 1, 0), step(_RETURN, _KILL), step(_LOAD, _NR)]
    if column == 0:  # the x32 numbers are a second way to every call
        steps += [step(0x35, 0x40000000, 0, 1), step(_RETURN, _EPERM)]
    for number in denied:
        steps += [step(_EQUAL, number, 0, 1), step(_RETURN, _EPERM)]
    # clone3 hides its flags in memory; ENOSYS makes the C library fall back to clone, whose flags can be seen.
    steps += [step(_EQUAL, _CLONE3[column], 0, 1), step(_RETURN, _ENOSYS)]
    steps += [
        step(_EQUAL, _CLONE[column], 0, 4),
        step(_LOAD, _ARG0),
        step(_SET, _CLONE_THREAD, 1, 0),
        step(_RETURN, _EPERM),
        step(_RETURN, _ALLOW),
    ]
    steps += [
        step(_EQUAL, _TGKILL[column], 0, 4),
        step(_LOAD, _ARG0),
        step(_EQUAL, os.getpid(), 1, 0),  # abort() signals its own process
        step(_RETURN, _EPERM),
        step(_RETURN, _ALLOW),
    ]
    return [*steps, step(_RETURN, _ALLOW)]

"""Opening a folder below a root, and nothing else, whatever links lie there or are put there meanwhile.

On Linux one ``openat2`` walks the path inside the kernel and refuses every symbolic link on it, so there is no moment
between a check and its use. Elsewhere, and where a filter forbids that call, each component is opened on its own with
``O_NOFOLLOW``, relative to the descriptor of the one before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cache

__all__ = ["folder_beneath", "kernel_walks"]

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_SYS_OPENAT2 = 437  # the same on every architecture
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08
_TRIES = 32


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


@contextmanager
def folder_beneath(root: str, segments: Sequence[str], *, create: bool = False) -> Generator[int]:
    """A descriptor of the folder ``segments`` below ``root``.

    Args:
        root: The operator's folder; links on the way to it are the operator's own.
        segments: Checked names, none of them ``.`` or ``..``.
        create: Make the folders that are missing.

    Raises:
        OSError: ELOOP, EXDEV or ENOTDIR where a link or no folder is in the way; else what the system says.
    """
    base = os.open(root, FOLDER)
    try:
        folder = _walk(base, segments, create=create) if create or not kernel_walks() else _openat2(base, segments)
    finally:
        os.close(base)
    try:
        yield folder
    finally:
        os.close(folder)


@cache
def kernel_walks() -> bool:
    """Whether ``openat2`` is there: Linux 5.6, and no filter that forbids it."""
    if sys.platform != "linux":
        return False
    with suppress(OSError):
        here = os.open("/", FOLDER)
        try:
            os.close(_openat2(here, ()))
        finally:
            os.close(here)
        return True
    return False


def _openat2(base: int, segments: Sequence[str]) -> int:
    path = os.fsencode("/".join(segments) or ".")
    how = _OpenHow(FOLDER, 0, _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
    code = errno.EAGAIN
    for _ in range(_TRIES):
        found: int = _libc().syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_int(base),
            ctypes.c_char_p(path),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if found >= 0:
            return found
        code = ctypes.get_errno()
        # EAGAIN: a rename ran at the same time and the kernel could not be sure (openat2(2)).
        if code not in {errno.EAGAIN, errno.EINTR}:
            break
    raise OSError(code, os.strerror(code))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _walk(base: int, segments: Sequence[str], *, create: bool) -> int:
    folder = os.dup(base)
    for segment in segments:
        try:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(segment, 0o777, dir_fd=folder)
            inner = os.open(segment, FOLDER | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder

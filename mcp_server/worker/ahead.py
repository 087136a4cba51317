"""Starts the clean parent of all workers (:mod:`.forkserver`), where a call is known to come before there is a server.

It takes as long to import what it needs as the server does, and needs nothing of the server: so it may begin first.
Only the standard library is imported here. Who gives it orders is not known here.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

__all__ = ["Parent", "start_ahead", "started_parent"]

# -I keeps the environment and the current folder out of sys.path; the package may not be installed there.
_BOOT = "import sys; sys.path.append({path!r}); from mcp_server.worker.forkserver import main; main(int(sys.argv[1]))"
_ENVIRONMENT = {"RUST_LIB_BACKTRACE": "0", "LC_ALL": "C.UTF-8"}  # with backtraces on, every call costs 2.6 times
_PACKAGES = Path(__file__).resolve().parent.parent.parent


class Parent(NamedTuple):
    """A process that waits for orders, and the socket to give them on; it ends when that is closed."""

    process: subprocess.Popen[bytes]
    control: socket.socket


_ahead: list[Parent] = []


def start_ahead() -> None:
    """Start one for whoever asks first; where the machine gives none, who asks is told."""
    with contextlib.suppress(OSError):
        _ahead.append(_start())


def started_parent() -> Parent:
    """The one that was started ahead, or another one.

    Raises:
        OSError: The machine gives no more processes or descriptors.
    """
    while _ahead:
        parent = _ahead.pop()
        if parent.process.poll() is None:
            return parent
        parent.control.close()
    return _start()


def _start() -> Parent:
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and a fixed program
            [sys.executable, "-I", "-c", _BOOT.format(path=str(_PACKAGES)), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Parent(process, ours)

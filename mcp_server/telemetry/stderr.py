"""Keeps descriptors 1 and 2 harmless: whatever prints, stdout stays the protocol's and nobody ever blocks.

A client that starts a stdio server often leaves its stderr unread; a pipe holds 64 KiB, and a server that blocks
on the next byte hangs for good. So 1 and 2 become a pipe of our own, and a thread carries it to the real stderr
as far as that takes it; what does not fit is dropped, and the drop is told.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from types import TracebackType

__all__ = ["DrainedStderr"]

CHUNK = 4_096
"""POSIX lets a pipe that polls as writable take PIPE_BUF (4 096 on Linux, 512 at least) bytes without blocking."""
LAST_WORDS = 0.2
"""Seconds at the end in which what was already written may still get out."""


class DrainedStderr:
    """A context manager around serving.

    Args:
        stdout_too: Point descriptor 1 at stderr as well; the protocol must hold a copy of the real one by then.
            Afterwards it leads nowhere, because what is printed while the interpreter ends is nobody's message.
    """

    def __init__(self, *, stdout_too: bool) -> None:
        self._stdout_too = stdout_too
        self.dropped = 0

    def __enter__(self) -> DrainedStderr:
        self._real = os.dup(2)
        self._source, sink = os.pipe()
        os.dup2(sink, 2)
        if self._stdout_too:
            os.dup2(sink, 1)
        os.close(sink)
        self._thread = threading.Thread(target=self._carry, name="stderr", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stdout_too:
            self._silence_stdout()
        os.dup2(self._real, 2)  # the last copy of the pipe's end but those of children: the thread sees its end
        self._thread.join(LAST_WORDS)

    def _silence_stdout(self) -> None:
        """What still lies in buffers, and what is printed at exit, must not follow the protocol's last line."""
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)

    def _carry(self) -> None:
        while True:
            chunk = os.read(self._source, CHUNK)
            if not chunk:
                return
            if self.dropped and self._writable():
                self._tell()
            if self._writable():
                self._write(chunk)
            else:
                self.dropped += len(chunk)

    def _writable(self) -> bool:
        return bool(select.select([], [self._real], [], 0)[1])

    def _tell(self) -> None:
        dropped, self.dropped = self.dropped, 0
        self._write(f"[{dropped} bytes of log were dropped: nobody read stderr]\n".encode())

    def _write(self, chunk: bytes) -> None:
        try:
            os.write(self._real, chunk)
        except OSError:
            self.dropped += len(chunk)

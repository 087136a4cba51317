"""The emptiest peer a channel can have: a process that sends back what it receives, and a loop that waits for it."""

from __future__ import annotations

import asyncio
import os
import socket
from types import TracebackType

from mcp_server.worker.walls import NICENESS

__all__ = ["EchoProcess"]

RECEIVE = 262_144


class EchoProcess:
    """A forked process on a socket pair, watched by the running event loop as a worker's channel is.

    It stands below this process in priority exactly as a worker does, so that other work on the machine costs both
    the same. Fork it before libextism is used.
    """

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._ours.close()
            os.nice(NICENESS)
            _echo(theirs)
        theirs.close()
        self._waiting: asyncio.Future[bytes] | None = None

    def __enter__(self) -> EchoProcess:
        self._ours.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._ours, self._readable)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.remove_reader(self._ours)
        self._ours.close()
        os.waitpid(self._pid, 0)

    async def round_trip(self, data: bytes) -> bytes:
        """Send ``data`` and wait until it comes back."""
        self._waiting = self._loop.create_future()
        self._ours.send(data)
        return await self._waiting

    def _readable(self) -> None:
        data = self._ours.recv(RECEIVE)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(data)


def _echo(channel: socket.socket) -> None:
    try:
        while data := channel.recv(RECEIVE):
            channel.sendall(data)
    finally:
        os._exit(0)

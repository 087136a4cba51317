"""The parent of several server processes on one socket: starts them, starts one anew that died, hands signals on.

It serves nothing itself and loads no plugin. One socket for all, not one for each with SO_REUSEPORT: no process takes
connections that wait with it when it dies, and it is the same on every system.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio
from anyio.abc import Process

from mcp_server.transport.http.common import Common

__all__ = ["Parent"]

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds before a process that died is started anew; doubled while it does not come to serve."""


class Parent:
    """Keeps processes running.

    Args:
        command: Starts one; ``--inherited`` and its value are added.
        count: How many.
        listening: Bound already.
        common: What they share.
        serving: Called once, when all of them serve.
    """

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        listening: socket.socket,
        common: Common,
        serving: Callable[[], None],
    ) -> None:
        self._command, self._count = tuple(command), count
        self._listening, self._common, self._serving = listening, common, serving
        self._running: set[Process] = set()
        self._ready: set[Process] = set()
        self._asked = anyio.Event()
        self._announced = False
        self._hangups = 0
        self._status = 0

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT; the status to exit with: 0, or that of a process that never came to serve."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._obey)
            async with anyio.create_task_group() as keepers:
                for _ in range(self._count):
                    keepers.start_soon(self._keep)
            tasks.cancel_scope.cancel()
        return self._status

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._asked.is_set():
            served, status = await self._one()
            if self._asked.is_set():
                return
            if not self._announced:
                self._status = status if status > 0 else 128 - status
                self._end()
                return
            pause = FIRST_PAUSE if served else min(pause * 2, LONGEST_PAUSE)
            logger.warning("a server process ended with status %d; another is started", status)
            with anyio.move_on_after(pause):
                await self._asked.wait()

    async def _one(self) -> tuple[bool, int]:
        """Start one process and wait for its end: whether it served, and its status."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = await self._start(theirs)
            hangups = self._hangups
            self._running.add(process)
            if self._asked.is_set():
                _signal(process, signal.SIGTERM)
            try:
                ours.setblocking(False)
                await anyio.wait_readable(ours)
                served = ours.recv(1) != b""
                if served:
                    self._count_in(process, missed=self._hangups != hangups)
                return served, await process.wait()
            finally:
                self._running.discard(process)
                self._ready.discard(process)

    async def _start(self, line: socket.socket) -> Process:
        descriptors = (self._listening.fileno(), self._common.descriptor, line.fileno())
        return await anyio.open_process(
            [*self._command, "--inherited", ",".join(map(str, descriptors))],
            stdin=subprocess.DEVNULL,
            stdout=None,
            stderr=None,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C of a terminal comes to the parent alone, which hands it on once
        )

    def _count_in(self, process: Process, *, missed: bool) -> None:
        self._ready.add(process)
        if missed:
            _signal(process, signal.SIGHUP)
        if not self._announced and len(self._ready) == self._count:
            self._announced = True
            self._serving()

    async def _obey(self) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async for number in signals:
                if number == signal.SIGHUP:
                    self._hangups += 1
                    for process in self._ready:  # one that does not serve yet would die of it
                        _signal(process, signal.SIGHUP)
                elif self._asked.is_set():
                    self._end()
                    os._exit(128 + number)
                else:
                    logger.info("%s: all server processes are asked to end", signal.Signals(number).name)
                    self._end()

    def _end(self) -> None:
        self._asked.set()
        for process in self._running:
            _signal(process, signal.SIGTERM)


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has just ended
        process.send_signal(number)

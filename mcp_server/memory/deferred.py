"""A bounded queue of work that nobody waits for: the after-hooks. One at a time, in order; too much is dropped."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable

import anyio

__all__ = ["MOST_WAITING", "Deferred"]

logger = logging.getLogger(__name__)
MOST_WAITING = 1_000
Job = Callable[[], Awaitable[None]]


class Deferred:
    """Jobs that run later.

    Args:
        start: Runs a coroutine in the host's task group.
        most: Jobs that may wait.
    """

    def __init__(self, start: Callable[[Job], None], most: int = MOST_WAITING) -> None:
        self._start, self._most = start, most
        self._jobs: deque[Job] = deque()
        self._running = False
        self._idle = anyio.Event()
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return len(self._jobs)

    def put(self, job: Job) -> bool:
        """Run ``job`` after those that wait; False when it was dropped because too many do."""
        if len(self._jobs) >= self._most:
            self.dropped += 1
            if self.dropped & (self.dropped - 1) == 0:  # the 1st, 2nd, 4th, 8th …: a flood must not flood the log
                logger.warning("%d after-hook calls were dropped: %d wait already", self.dropped, self._most)
            return False
        self._jobs.append(job)
        if not self._running:
            self._running = True
            self._idle = anyio.Event()
            self._start(self._run)
        return True

    async def drain(self, seconds: float) -> None:
        """Wait for what waits, at most so long; what is left then is dropped."""
        with anyio.move_on_after(seconds):
            while self._running:
                await self._idle.wait()
        if self._jobs:
            self.dropped += len(self._jobs)
            logger.warning("the server ends: %d after-hook calls were dropped", len(self._jobs))
            self._jobs.clear()

    async def _run(self) -> None:
        try:
            while self._jobs:
                await self._jobs.popleft()()
        finally:
            self._running = False
            self._idle.set()

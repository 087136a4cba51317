"""A bounded number of callers inside, a bounded number waiting, everybody else turned away at once."""

from __future__ import annotations

import anyio

__all__ = ["Turnstile", "TurnedAway"]


class TurnedAway(Exception):
    """Nobody left in time, or the waiting line is full.

    Attributes:
        full: True when the line was full, False when the wait was too long.
    """

    def __init__(self, *, full: bool) -> None:
        super().__init__("the waiting line is full" if full else "no slot came free in time")
        self.full = full


class Turnstile:
    """Counts who is inside.

    Args:
        slots: How many may be inside.
        line: How many may wait.
    """

    def __init__(self, slots: int, line: int) -> None:
        self.slots = slots
        self._line = line
        self._gate = anyio.Semaphore(slots, max_value=slots, fast_acquire=True)
        self.waiting = 0

    @property
    def inside(self) -> int:
        return self.slots - self._gate.value

    def enter_nowait(self) -> bool:
        """Take a slot if one is free."""
        try:
            self._gate.acquire_nowait()
        except anyio.WouldBlock:
            return False
        return True

    async def enter(self, patience: float) -> None:
        """Take a slot, waiting at most ``patience`` seconds.

        Raises:
            TurnedAway: The line is full, or the patience is over.
        """
        if self.enter_nowait():
            return
        if self.waiting >= self._line:
            raise TurnedAway(full=True)
        self.waiting += 1
        try:
            with anyio.fail_after(patience):
                await self._gate.acquire()
        except TimeoutError:
            raise TurnedAway(full=False) from None
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Give the slot back; who waits longest gets it."""
        self._gate.release()

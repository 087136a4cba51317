"""A bounded number of callers inside, a bounded number waiting, everybody else turned away at once."""

from __future__ import annotations

from collections import deque

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
        self.inside = 0
        self._most_waiting = line
        self._line: deque[anyio.Event] = deque()  # of those who wait; set when one is let in

    @property
    def waiting(self) -> int:
        """Who waits."""
        return len(self._line)

    def enter_nowait(self) -> bool:
        """Take a slot if one is free."""
        if self.inside >= self.slots:
            return False
        self.inside += 1
        return True

    async def enter(self, patience: float) -> None:
        """Take a slot, waiting at most ``patience`` seconds.

        Raises:
            TurnedAway: The line is full, or the patience is over.
        """
        if self.enter_nowait():
            return
        if len(self._line) >= self._most_waiting:
            raise TurnedAway(full=True)
        let_in = anyio.Event()
        self._line.append(let_in)
        try:
            with anyio.fail_after(patience):
                await let_in.wait()
        except BaseException as end:
            if let_in.is_set():  # let in at the very moment that it gave up
                self.leave()
            else:
                self._line.remove(let_in)
            if isinstance(end, TimeoutError):
                raise TurnedAway(full=False) from None
            raise

    def leave(self) -> None:
        """Give the slot back; who waits longest gets it."""
        if self._line:
            self._line.popleft().set()
        else:
            self.inside -= 1

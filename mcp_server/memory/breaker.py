"""A breaker: after some failures in a row nobody is asked for a while, then one is let through to see."""

from __future__ import annotations

__all__ = ["FAILURES", "PAUSE_SECONDS", "Breaker"]

FAILURES = 5
"""Failures in a row that open it."""
PAUSE_SECONDS = 30.0
"""How long it stays open before one call may try."""


class Breaker:
    """Counts the failures of one hook. Times are monotonic seconds, given by the caller."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0.0
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are held back; also while one tries."""
        return self._failures >= FAILURES

    def admits(self, now: float) -> bool:
        """Whether a call may be made now; the caller then says how it went."""
        if not self.is_open:
            return True
        if self._trying or now < self._open_until:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """A call went well."""
        self._failures, self._trying = 0, False

    def failed(self, now: float) -> bool:
        """A call failed; whether that opened it, or kept it open."""
        self._failures += 1
        self._trying = False
        if self.is_open:
            self._open_until = now + PAUSE_SECONDS
        return self.is_open

    def withdrawn(self) -> None:
        """The caller left before the call said anything."""
        self._trying = False

"""The deadlines of running calls, in coarse steps: a timer per step instead of one per call.

A timer of its own costs each call 6 µs (arming, cancelling, and the event loop's heap of cancelled ones); a set per
10 ms costs 0.3 µs, and a stop that comes up to 10 ms late.
"""

from __future__ import annotations

import asyncio

from mcp_server.runtime.channel import Pending

__all__ = ["Deadlines"]

STEP = 0.01


class Deadlines:
    """Calls that may all take ``seconds``.

    Args:
        seconds: From :meth:`add` on; then the call's holder is told.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._steps: dict[int, set[Pending]] = {}

    def add(self, pending: Pending) -> None:
        """Start the clock of a call."""
        step = int((self._loop.time() + self._seconds) / STEP) + 1
        due = self._steps.get(step)
        if due is None:
            due = self._steps[step] = set()
            self._loop.call_at(step * STEP, self._fire, step)
        due.add(pending)
        pending.due = due

    @staticmethod
    def remove(pending: Pending) -> None:
        """The call is over."""
        if pending.due is not None:
            pending.due.discard(pending)
            pending.due = None

    def _fire(self, step: int) -> None:
        for pending in self._steps.pop(step):
            pending.due = None
            pending.holder.expired(pending)

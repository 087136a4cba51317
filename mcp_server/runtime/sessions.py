"""Which instance belongs to which session: a number per principal and session, and whose turn it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import anyio

__all__ = ["Session", "Sessions"]

MOST = 1_024


class Session:
    """One principal in one client session."""

    __slots__ = ("key", "turn")

    def __init__(self, key: int) -> None:
        self.key = key
        # no Lock: the turn is given back where the answer arrives, which is in no task at all
        self.turn = anyio.Semaphore(1, max_value=1, fast_acquire=True)


class Sessions:
    """The sessions of one plugin; the one that was not used for longest goes when there are too many.

    Args:
        forget: Called with the key of a session that is gone.
    """

    def __init__(self, forget: Callable[[int], None]) -> None:
        self._forget = forget
        self._keys = itertools.count(1)
        self._sessions: dict[tuple[str, str], Session] = {}

    def get(self, principal: str, session: str) -> Session:
        """The session of this principal under this name, and of no other."""
        found = self._sessions.pop((principal, session), None) or Session(next(self._keys))
        self._sessions[principal, session] = found  # last used, last removed
        if len(self._sessions) > MOST:
            self._remove_oldest()
        return found

    def _remove_oldest(self) -> None:
        for name, session in self._sessions.items():
            if session.turn.value:
                del self._sessions[name]
                self._forget(session.key)
                return

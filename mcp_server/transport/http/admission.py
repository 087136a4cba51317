"""The guard of share: how often a principal may ask, and how many requests may be open, of one and of all.

It answers 429 at once instead of letting requests wait. Requests that stay open to carry news (GET streams and
subscriptions) are counted apart, so that listening takes no place of calling.
"""

from __future__ import annotations

from collections import Counter

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.transport.http.problem import problem
from mcp_server.transport.http.rates import Rates, too_many
from mcp_server.transport.identity import identity_in

__all__ = ["Admission", "Readiness", "Slot", "slot_in"]

_KEY = "agentmem.slot"


class Readiness:
    """Whether new work is taken."""

    def __init__(self) -> None:
        self.ready = True


class Slot:
    """The place that one request takes; for a stream it changes hands."""

    def __init__(self, owner: Admission, principal: str) -> None:
        self._owner, self._principal = owner, principal
        self._open = owner.requests
        self._open[principal] += 1

    def become_stream(self) -> bool:
        """Count as a stream from now on; False when the principal has too many of these."""
        if self._owner.streams[self._principal] >= self._owner.most_streams:
            return False
        self.free()
        self._open = self._owner.streams
        self._open[self._principal] += 1
        return True

    def free(self) -> None:
        """Give the place back."""
        self._open[self._principal] -= 1
        if not self._open[self._principal]:
            del self._open[self._principal]


class Admission:
    """Lets a request in, or answers 429; 503 once the server is ending.

    Args:
        app: What is behind it.
        rates: How often a principal may ask.
        readiness: Of the server.
        most: Requests that may be open.
        most_of_one: Of one principal.
        most_streams: Streams of one principal.
        watched: Paths that are answered while the server is ending, too.
    """

    def __init__(
        self,
        app: ASGIApp,
        rates: Rates,
        readiness: Readiness,
        *,
        most: int,
        most_of_one: int,
        most_streams: int,
        watched: frozenset[str] = frozenset(),
    ) -> None:
        self._app, self._rates, self._readiness = app, rates, readiness
        self._most, self._most_of_one, self.most_streams = most, most_of_one, most_streams
        self._watched = watched
        self.requests: Counter[str] = Counter()
        self.streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self._watched:
            return await self._app(scope, receive, send)
        admitted = self.enter(identity_in(scope).principal)
        if isinstance(admitted, Response):
            return await admitted(scope, receive, send)
        scope[_KEY] = admitted
        try:
            return await self._app(scope, receive, send)
        finally:
            admitted.free()

    def enter(self, principal: str) -> Slot | Response:
        """A place for a request of ``principal``, to be given back; or the answer to it. What is refused costs it none
        of its rate."""
        if not self._readiness.ready:
            return problem(503, "ending", "the server is ending", {"retry-after": "1", "connection": "close"})
        if self.requests[principal] >= self._most_of_one or self.requests.total() >= self._most:
            return too_many(1, "too many requests are open")
        wait = self._rates.take(principal)
        return too_many(wait) if wait else Slot(self, principal)


def slot_in(scope: Scope) -> Slot:
    """The place of a request."""
    return scope[_KEY]

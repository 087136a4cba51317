"""Counts requests by route and status, around everything that answers them, refusals by the guards included.

A route is the pattern that was written, never a path that was asked: what is asked for in vain is ``other``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.telemetry.metrics.families import OTHER

__all__ = ["RequestCounts"]

LEFT = 499
"""The status of a request whose client left before it was answered."""


class RequestCounts:
    """The figures, and the application that keeps them."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[str, int]] = Counter()
        self.open = 0

    def around(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> ASGIApp:
        """``app``, counted; ``routes`` are those that it has."""
        known = [route for route in routes if isinstance(route, Route | Mount)]
        exact = {route.path: route.path for route in known if isinstance(route, Route) and "{" not in route.path}
        patterns = [route for route in known if route.path not in exact]

        def name_of(path: str) -> str:
            found = exact.get(path)
            if found is None:
                found = next((route.path for route in patterns if route.path_regex.match(path)), OTHER)
            return found

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            status = LEFT

            async def watched(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            self.open += 1
            try:
                await app(scope, receive, watched)
            except Exception:
                status = 500 if status == LEFT else status
                raise
            finally:
                self.open -= 1
                self.answered[name_of(scope["path"]), status] += 1

        return counted

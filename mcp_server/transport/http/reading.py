"""A route that is only read. It answers any other method in the one shape of the site, where the library has text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mcp_server.transport.http.problem import problem

__all__ = ["ReadRoute"]

_READING = ("GET", "HEAD")


class ReadRoute(Route):
    """``GET path``, and ``HEAD`` with it.

    Args:
        path: As starlette writes it.
        endpoint: Answers both; of a ``HEAD`` the server sends no body.
    """

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        super().__init__(path, endpoint, methods=_READING)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in _READING:
            return await super().handle(scope, receive, send)
        wrong = problem(405, "method_not_allowed", "send GET", {"allow": ", ".join(_READING)})
        return await wrong(scope, receive, send)

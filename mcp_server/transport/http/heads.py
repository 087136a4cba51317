"""The guard of heads: how long one may be, and that it says in one way alone where its body ends.

A proxy that read it in another way would take the rest of one request for the beginning of the next (RFC 9112, 6.1 and
11.2); so what is ambiguous ends the connection. What else is no HTTP, uvicorn has refused before.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.transport.http.problem import problem

__all__ = ["MAX_HEAD", "HeadGuard"]

MAX_HEAD = 32 * 1024
"""Bytes. uvicorn counts what has come while the end is missing, which is nothing of a head that comes in one piece."""
_CLOSE = {"connection": "close"}


class HeadGuard:
    """Answers 400 to a body with two ends, and 431 to a head that is too long.

    Args:
        app: What is behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        names = {name for name, _ in headers}
        if b"transfer-encoding" in names and b"content-length" in names:
            text = "send Content-Length or Transfer-Encoding, and not both"
            return await problem(400, "ambiguous_length", text, _CLOSE)(scope, receive, send)
        target = len(scope["raw_path"]) + len(scope["query_string"])
        if target + sum(len(name) + len(value) for name, value in headers) > MAX_HEAD:
            text = f"path and headers may have {MAX_HEAD} bytes"
            return await problem(431, "head_too_long", text, _CLOSE)(scope, receive, send)
        return await self._app(scope, receive, send)

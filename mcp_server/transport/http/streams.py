"""Responses that stay open to carry news: GET of ``/mcp`` and ``/sse``; ended together when the server ends."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.transport.http.admission import slot_in
from mcp_server.transport.http.rates import too_many

__all__ = ["Streams"]


class Streams:
    """The open ones."""

    def __init__(self) -> None:
        self._open: set[anyio.CancelScope] = set()
        self._ended = False

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run ``app`` for one stream, as long as its client, its share and this server allow."""
        if not slot_in(scope).become_stream():
            await too_many(1, "too many streams are open")(scope, receive, send)
            return
        begun = complete = False

        async def watched(message: Message) -> None:
            nonlocal begun, complete
            begun = True
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        with anyio.CancelScope() as ending:
            self._open.add(ending)
            try:
                await app(scope, receive, watched)
            finally:
                self._open.discard(ending)
        if begun and not complete and self._ended:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def end(self) -> None:
        """End them all."""
        self._ended = True
        for ending in list(self._open):
            ending.cancel()

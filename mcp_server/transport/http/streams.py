"""Responses that stay open to carry news: GET of ``/mcp`` and ``/sse``, and subscriptions.

Each ends with its client or its token, and all of them with the server.
"""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.transport.http.admission import slot_in
from mcp_server.transport.http.auth import is_still_good
from mcp_server.transport.http.rates import too_many

__all__ = ["Streams"]


class Streams:
    """The open ones.

    Args:
        recheck_seconds: How often the token of each is looked at again.
    """

    def __init__(self, recheck_seconds: float) -> None:
        self._recheck_seconds = recheck_seconds
        self._open: set[anyio.CancelScope] = set()

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run ``app`` for one stream, as long as its client, its token and this server allow; 429 beyond a share."""
        if not slot_in(scope).become_stream():
            await too_many(1, "too many streams are open")(scope, receive, send)
            return
        begun = complete = False

        async def watched(message: Message) -> None:
            nonlocal begun, complete
            begun = True
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._end_with_token, scope, tasks.cancel_scope)
            self._open.add(tasks.cancel_scope)
            try:
                await app(scope, receive, watched)
            finally:
                self._open.discard(tasks.cancel_scope)
                tasks.cancel_scope.cancel()
        if begun and not complete:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def end(self) -> None:
        """End them all."""
        for ending in list(self._open):
            ending.cancel()

    async def _end_with_token(self, scope: Scope, ending: anyio.CancelScope) -> None:
        while True:
            await anyio.sleep(self._recheck_seconds)
            if not await is_still_good(scope):
                ending.cancel()

"""``/sse`` and ``/messages/``: the HTTP+SSE transport of 2024-11-05, for clients that know no other; deprecated.

A session ends with its stream, and its calls with it. It belongs to the principal that opened it.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from mcp.server.runner import serve_loop
from mcp.server.sse import SseServerTransport
from starlette.types import Receive, Scope, Send

from mcp_server.transport.http.gate import MessageGate
from mcp_server.transport.http.problem import problem
from mcp_server.transport.http.streams import Streams
from mcp_server.transport.identity import join_session
from mcp_server.transport.mcp_face import McpFace

__all__ = ["MESSAGES_PATH", "SseMessages", "SseStream"]

MESSAGES_PATH = "/messages/"


class SseStream:
    """The ASGI application behind ``/sse``.

    Args:
        face: What is served.
        transport: Shared with :class:`SseMessages`.
        streams: Takes the streams.
    """

    def __init__(self, face: McpFace, transport: SseServerTransport, streams: Streams) -> None:
        self._face, self._transport, self._streams = face, transport, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            wrong = problem(405, "method_not_allowed", "send GET", {"allow": "GET"})
            return await wrong(scope, receive, send)
        return await self._streams.serve(self._serve, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._transport.connect_sse(scope, receive, send) as (read, write):
            await serve_loop(
                self._face.server, read, write, lifespan_state={}, init_options=self._face.initialization_options()
            )


class SseMessages:
    """The ASGI application behind ``/messages/``.

    Args:
        transport: Shared with :class:`SseStream`.
        gate: Judges messages.
    """

    def __init__(self, transport: SseServerTransport, gate: MessageGate) -> None:
        self._transport, self._gate = transport, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            wrong = problem(405, "method_not_allowed", "send POST", {"allow": "POST"})
            return await wrong(scope, receive, send)
        admitted = await self._gate.admit(scope, receive, send)
        if admitted is None:
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        join_session(scope, query.get("session_id", [""])[0])
        return await self._transport.handle_post_message(scope, admitted.receive, send)

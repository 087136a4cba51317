"""``/mcp``: Streamable HTTP for 2026-07-28 (one request, one answer) and for sessions of the handshake eras.

An answer is one JSON body where nothing can come before it; else an event stream. For 2026-07-28 the SDK decides late:
the first notification, or 15 s, make it a stream, and a client that leaves cancels its call either way.
"""

from __future__ import annotations

from typing import Any

from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from mcp_server.transport.frame import Message
from mcp_server.transport.http.gate import MessageGate
from mcp_server.transport.http.problem import problem
from mcp_server.transport.http.sessions import SessionManager, plain_answer
from mcp_server.transport.http.streams import Streams
from mcp_server.transport.identity import join_session
from mcp_server.transport.mcp_face import McpFace

__all__ = ["StreamableEndpoint"]


class StreamableEndpoint:
    """The ASGI application behind ``/mcp``.

    Args:
        face: What is served.
        manager: Running already.
        gate: Judges messages.
        streams: Takes GET streams and subscriptions.
        sessions: Whether clients of the handshake eras get one.
    """

    def __init__(
        self, face: McpFace, manager: SessionManager, gate: MessageGate, streams: Streams, *, sessions: bool = True
    ) -> None:
        self._has_sessions = sessions
        self._face, self._manager, self._gate, self._streams = face, manager, gate, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        legacy = headers.get(MCP_PROTOCOL_VERSION_HEADER, HANDSHAKE_PROTOCOL_VERSIONS[0]) in HANDSHAKE_PROTOCOL_VERSIONS
        allowed = ("GET", "POST", "DELETE") if legacy and self._has_sessions else ("POST",)
        if scope["method"] not in allowed:
            wrong = problem(405, "method_not_allowed", f"send {' or '.join(allowed)}", {"allow": ", ".join(allowed)})
            return await wrong(scope, receive, send)
        if legacy and self._has_sessions:
            join_session(scope, headers.get(MCP_SESSION_ID_HEADER, ""))
        if scope["method"] == "GET":
            scope = _as_new(scope)
            return await self._streams.serve(self._manager.handle_request, scope, receive, send)
        if scope["method"] == "POST":
            admitted = await self._gate.admit(scope, receive, send)
            if admitted is None:
                return None
            receive = admitted.receive
            # Not for the request that opens a session: the tasks of the session inherit what is said here.
            settled = MCP_SESSION_ID_HEADER in headers or (legacy and not self._has_sessions)
            plain_answer.set(settled and not self._may_speak(admitted.message))
            if admitted.message.get("method") == "subscriptions/listen":
                return await self._streams.serve(self._manager.handle_request, scope, receive, send)
        return await self._manager.handle_request(scope, receive, send)

    def _may_speak(self, message: Message) -> bool:
        """Whether something may have to be sent before the answer to ``message``."""
        params: dict[str, Any] = message.get("params") or {}
        meta = params.get("_meta")
        if isinstance(meta, dict) and "progressToken" in meta:
            return True
        return message.get("method") == "tools/call" and self._face.may_speak(str(params.get("name")))


def _as_new(scope: Scope) -> Scope:
    """A request for a stream that begins now: no event has a number, and the SDK answers nothing to who names one."""
    return {**scope, "headers": [header for header in scope["headers"] if header[0] != b"last-event-id"]}

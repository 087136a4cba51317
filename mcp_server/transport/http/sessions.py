"""Sessions of the handshake eras over Streamable HTTP: whose they are, how many, and JSON or an event stream for each
answer."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

__all__ = ["SessionManager", "plain_answer"]

plain_answer: ContextVar[bool] = ContextVar("plain_answer", default=False)
"""Whether the request that is being served is answered with one JSON body; nothing can be sent before its result."""


class _Session(StreamableHTTPServerTransport):
    """The SDK's session, which decides once for all requests, made to decide for each."""

    @property
    def is_json_response_enabled(self) -> bool:  # type: ignore[override]
        return plain_answer.get()

    @is_json_response_enabled.setter
    def is_json_response_enabled(self, value: bool) -> None:
        """What the SDK's constructor says is not asked for."""


class SessionManager(StreamableHTTPSessionManager):
    """The SDK's, with a share of the sessions for each principal; the SDK binds a session to who opened it.

    Args:
        server: What is served.
        most: Sessions at one time.
        most_of_one: Of one principal.
        idle_seconds: A session that nobody used for so long is ended.
        max_body: Bytes; the guards have counted them already.
        stateless: Answer each request alone: no session is kept, so that any process can answer the next one.
    """

    def __init__(
        self,
        server: Server[Any],
        *,
        most: int,
        most_of_one: int,
        idle_seconds: float,
        max_body: int,
        stateless: bool = False,
    ) -> None:
        super().__init__(
            server,
            session_idle_timeout=idle_seconds,
            max_sessions=most,
            max_request_body_size=max_body,
            stateless=stateless,
        )
        self._most_of_one = most_of_one

    @property
    def json_response(self) -> bool:  # type: ignore[override]
        """Where no session is kept, the SDK asks here for each request; 2026-07-28 decides for itself, and later."""
        return self.stateless and plain_answer.get()

    @json_response.setter
    def json_response(self, value: bool) -> None:
        """What the SDK's constructor says is not asked for."""

    def _admit_session(self, requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        if sum(owner == requestor for owner in self._session_owners.values()) >= self._most_of_one:
            return None
        admitted = super()._admit_session(requestor)
        if admitted is None or admitted.mcp_session_id is None:
            return None
        session = _Session(
            admitted.mcp_session_id,
            security_settings=self.security_settings,
            idle_timeout=self.session_idle_timeout,
        )
        self._server_instances[admitted.mcp_session_id] = session
        return session

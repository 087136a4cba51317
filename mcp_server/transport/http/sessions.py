"""Sessions of the handshake eras over Streamable HTTP: whose they are, how many, and JSON or an event stream for each
answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.dispatcher import coerce_request_id
from mcp_types import RequestId

__all__ = ["CANCELLED", "TERMINATED", "Session", "SessionManager", "plain_answer"]

CANCELLED, TERMINATED = "cancelled", "terminated"

plain_answer: ContextVar[bool] = ContextVar("plain_answer", default=False)
"""Whether the request that is being served is answered with one JSON body; nothing can be sent before its result."""


class Session(StreamableHTTPServerTransport):
    """The SDK's session, which decides once for all requests, made to decide for each.

    Attributes:
        principal: Who initialized it; empty before.
        version: Of the protocol, as it was agreed on.
        calls: Ends the calls that the SDK does not know of, by the request's id; each is told why.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.principal = self.version = ""
        self.calls: dict[RequestId, Callable[[str], None]] = {}

    @property
    def is_json_response_enabled(self) -> bool:  # type: ignore[override]
        return plain_answer.get()

    @is_json_response_enabled.setter
    def is_json_response_enabled(self, value: bool) -> None:
        """What the SDK's constructor says is not asked for."""

    @property
    def is_open(self) -> bool:
        """Whether it is initialized, and not about to end."""
        idle = self.idle_scope is not None and self.idle_scope.cancel_called
        return bool(self.principal) and not self.is_terminated and not idle

    @contextmanager
    def in_use(self) -> Generator[None]:
        """Hold it for a request that the SDK does not see; the idle time begins anew after the last one."""
        self._requests_in_flight += 1
        if self.idle_scope is not None:
            self.idle_scope.deadline = math.inf
        try:
            yield
        finally:
            self._requests_in_flight -= 1
            if self.idle_scope is not None and self._idle_timeout is not None and not self._requests_in_flight:
                self.idle_scope.deadline = anyio.current_time() + self._idle_timeout

    async def terminate(self) -> None:
        """End it, and the calls in it."""
        for end in list(self.calls.values()):
            end(TERMINATED)
        await super().terminate()


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
        session = Session(
            admitted.mcp_session_id,
            security_settings=self.security_settings,
            idle_timeout=self.session_idle_timeout,
        )
        self._server_instances[admitted.mcp_session_id] = session
        return session

    def session(self, session_id: str) -> Session | None:
        """An open session; whose it is, the caller must look at."""
        session = self._server_instances.get(session_id)
        return session if isinstance(session, Session) and session.is_open else None

    def joined(self, session_id: str, principal: str, version: str) -> None:
        """A client has initialized its session."""
        session = self._server_instances.get(session_id)
        if isinstance(session, Session):
            session.principal, session.version = principal, version

    def cancelled(self, session_id: str, request_id: object) -> None:
        """A client does not want an answer any more."""
        session = self._server_instances.get(session_id)
        if isinstance(session, Session) and isinstance(request_id, str | int):
            end = session.calls.get(coerce_request_id(request_id))
            if end is not None:
                end(CANCELLED)

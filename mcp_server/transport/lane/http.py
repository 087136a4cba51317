"""One request over HTTP, judged by the guards of the site and answered with one JSON body; or left to the SDK.

It is left before anything was done or counted, so that the other way finds everything as it was.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import anyio
from mcp.server.streamable_http import REQUEST_CANCELLED
from mcp.shared.dispatcher import coerce_request_id
from mcp_types import INTERNAL_ERROR
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.responses import Response

from mcp_server.errors import TokenProblem
from mcp_server.tools.invoke import Invoker
from mcp_server.transport.http.admission import Slot
from mcp_server.transport.http.auth import ANONYMOUS
from mcp_server.transport.http.counted import LEFT, RequestCounts
from mcp_server.transport.http.sessions import TERMINATED, Session
from mcp_server.transport.http.verifier import TokenRefused
from mcp_server.transport.identity import Identity
from mcp_server.transport.lane.answer import Answer, error, success
from mcp_server.transport.lane.guards import Guards
from mcp_server.transport.lane.head import Head
from mcp_server.transport.lane.message import Request, read_request
from mcp_server.transport.lane.plain import PlainRequests
from mcp_server.transport.lane.terms import SESSION_VERSIONS, Terms, is_modern
from mcp_server.transport.mcp_face import McpFace

__all__ = ["HttpLane"]

PATH = "/mcp"


class HttpLane:
    """Answers what it understands.

    Args:
        face: What is served.
        invoker: Calls its tools.
        guards: Of the site.
    """

    def __init__(self, face: McpFace, invoker: Invoker, guards: Guards) -> None:
        self._guards = guards
        self._plain = PlainRequests(face, invoker, Terms(face.server))

    async def answer(self, head: Head, body: bytes) -> Answer | None:
        """The answer to a request; None where the request is not the lane's."""
        if self._guards.before is not None:
            self._guards.before()
        if head.body > self._guards.max_body or not self._guards.names.is_own(head.host):
            return None
        request = read_request(body)
        if request is None:
            return None
        identity = await self._identity(head.token)
        if identity is None:
            return None
        if is_modern(head.version):
            if head.method != request.method or not self._plain.terms.takes(request.params, head.version):
                return None
            return await self._alone(head, request, identity)
        session = self._session(head, identity)
        if session is None or not self._plain.terms.takes(request.params, session.version):
            return None
        with session.in_use():
            return await self._in_session(request, identity, session)

    async def _identity(self, token: str) -> Identity | None:
        verifier = self._guards.verifier
        if verifier is None:
            return ANONYMOUS
        try:
            return await verifier.verify(token) if token else None
        except (TokenRefused, TokenProblem):
            return None

    def _session(self, head: Head, identity: Identity) -> Session | None:
        if not head.session or head.version not in ("", *HANDSHAKE_PROTOCOL_VERSIONS):
            return None
        session = self._guards.sessions.session(head.session)
        if session is None or session.principal != identity.principal or session.version not in SESSION_VERSIONS:
            return None
        return session

    async def _alone(self, head: Head, request: Request, identity: Identity) -> Answer | None:
        """A request of 2026-07-28."""
        asked = self._plain.asked(request, identity, head.version)
        if asked is None or head.name != ("" if isinstance(asked, bytes) else asked.name):
            return None
        place = self._place(identity)
        if place is None:
            return None
        with place:
            if isinstance(asked, bytes):
                result = asked
            else:
                call = self._plain.call(request, asked, identity, "", head.version)
                result = self._plain.terms.result(await call, head.version)
            place.status = 200
            return success(request.id, result)

    async def _in_session(self, request: Request, identity: Identity, session: Session) -> Answer | None:
        """A request in a session of a handshake era: a client that hangs up does not end it, one that says so does."""
        asked, name = self._plain.asked(request, identity, session.version), session.mcp_session_id or ""
        if asked is None or (not isinstance(asked, bytes) and coerce_request_id(request.id) in session.calls):
            return None
        place = self._place(identity)
        if place is None:
            return None
        with place:
            if isinstance(asked, bytes):
                answer = success(request.id, asked, name)
            else:
                call = self._plain.call(request, asked, identity, name, session.version)
                answer = await self._until_ended(request, session, call)
            place.status = answer.status
            return answer

    async def _until_ended(
        self, request: Request, session: Session, call: Coroutine[Any, Any, dict[str, Any]]
    ) -> Answer:
        key, name = coerce_request_id(request.id), session.mcp_session_id or ""
        reasons: list[str] = []
        with anyio.CancelScope() as scope:

            def end(reason: str) -> None:
                reasons.append(reason)
                scope.cancel()

            session.calls[key] = end
            try:
                return success(request.id, self._plain.terms.result(await call, session.version), name)
            finally:
                del session.calls[key]
        if TERMINATED in reasons:
            told = "Session terminated before the request completed"
            return error(None, INTERNAL_ERROR, told, status=500, session=name)
        return error(request.id, REQUEST_CANCELLED, "Request cancelled", status=200, session=name)

    def _place(self, identity: Identity) -> _Place | None:
        """A place among the requests that are open; None where there is none."""
        slot = self._guards.admission.enter(identity.principal)
        return None if isinstance(slot, Response) else _Place(slot, self._guards.counts)


class _Place:
    """Of one request among those that are open, and in the figures, as long as it is entered.

    Attributes:
        status: What the request was answered.
    """

    __slots__ = ("_counts", "_slot", "status")

    def __init__(self, slot: Slot, counts: RequestCounts | None) -> None:
        self._slot, self._counts, self.status = slot, counts, LEFT

    def __enter__(self) -> None:
        if self._counts is not None:
            self._counts.open += 1

    def __exit__(self, *_: object) -> None:
        self._slot.free()
        if self._counts is not None:
            self._counts.open -= 1
            self._counts.answered[PATH, self.status] += 1

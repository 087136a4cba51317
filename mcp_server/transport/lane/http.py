"""One request over HTTP, judged by the guards of the site and answered with one JSON body; or left to the SDK.

It is left before anything was done or counted, so that the other way finds everything as it was.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any

import anyio
from mcp.server.streamable_http import REQUEST_CANCELLED
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.inbound import find_invalid_x_mcp_header, x_mcp_header_map
from mcp_types import INTERNAL_ERROR
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.responses import Response

from mcp_server.errors import TokenProblem
from mcp_server.policy.scopes import TOOLS_LIST, unmet
from mcp_server.tools.catalog import Catalog, Tool
from mcp_server.tools.invoke import Caller, Invoker
from mcp_server.transport.http.auth import ANONYMOUS
from mcp_server.transport.http.counted import LEFT
from mcp_server.transport.http.sessions import TERMINATED, Session
from mcp_server.transport.http.verifier import TokenRefused
from mcp_server.transport.identity import Identity
from mcp_server.transport.lane.answer import Answer, error, success
from mcp_server.transport.lane.guards import Guards
from mcp_server.transport.lane.head import Head
from mcp_server.transport.lane.message import Request, read_request
from mcp_server.transport.lane.terms import CALL, LIST, Terms, is_modern
from mcp_server.transport.mcp_face import McpFace, list_page
from mcp_server.transport.needs import tool_need

__all__ = ["HttpLane"]

PATIENCE_MS = 15_000
"""After which the SDK makes an event stream of an answer that is not there yet (``mcp`` 2.3.0)."""
STAGES = 3
"""Waits that may each last as long as a call: for a place of the caller's, for one of the plugin's, and the call."""
SESSION_VERSIONS = frozenset({"2025-06-18", "2025-11-25"})
"""Those whose results can say all that a tool answers; the SDK leaves parts out for older ones."""
PATH = "/mcp"


class HttpLane:
    """Answers what it understands.

    Args:
        face: What is served.
        invoker: Calls its tools.
        guards: Of the site.
    """

    def __init__(self, face: McpFace, invoker: Invoker, guards: Guards) -> None:
        self._face, self._invoker, self._guards = face, invoker, guards
        self._terms = Terms(face.server)
        self._catalog: Catalog | None = None
        self._open: dict[str, bool] = {}

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
            if head.method != request.method or not self._terms.takes(request.params, head.version):
                return None
            return await self._alone(head, request, identity)
        session = self._session(head, identity)
        if session is None or not self._terms.takes(request.params, session.version):
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
        if request.method == LIST and not head.name:
            return self._list(request, identity, head.version)
        tool = self._tool(request, identity)
        if tool is None or tool.name != head.name:
            return None
        with self._admitted(identity) as place:
            if place is None:
                return None
            call = self._call(request, tool, Caller(identity.principal), legacy=False)
            answer = success(request.id, self._terms.result(await call, head.version))
            place.status = answer.status
            return answer

    async def _in_session(self, request: Request, identity: Identity, session: Session) -> Answer | None:
        """A request in a session of a handshake era: a client that hangs up does not end it, one that says so does."""
        if request.method == LIST:
            return self._list(request, identity, session.version, session.mcp_session_id or "")
        tool, key = self._tool(request, identity), coerce_request_id(request.id)
        if tool is None or key in session.calls:
            return None
        with self._admitted(identity) as place:
            if place is None:
                return None
            caller = Caller(identity.principal, session=session.mcp_session_id or "")
            answer = await self._until_ended(request, session, self._call(request, tool, caller, legacy=True))
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
                return success(request.id, self._terms.result(await call, session.version), name)
            finally:
                del session.calls[key]
        if TERMINATED in reasons:
            told = "Session terminated before the request completed"
            return error(None, INTERNAL_ERROR, told, status=500, session=name)
        return error(request.id, REQUEST_CANCELLED, "Request cancelled", status=200, session=name)

    def _call(
        self, request: Request, tool: Tool, caller: Caller, *, legacy: bool
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        call = self._invoker.run(tool, request.params.get("arguments", {}), caller)
        return self._face.answered(call, tool.name, tool, request.id, legacy=legacy)

    def _list(self, request: Request, identity: Identity, version: str, session: str = "") -> Answer | None:
        if not request.params.keys() <= {"_meta"}:
            return None
        if identity.scopes is not None and unmet(identity.scopes, ((TOOLS_LIST,),)):
            return None
        with self._admitted(identity) as place:
            if place is None:
                return None
            shown = self._face.tools_shown(identity)
            entries = shown.modern if is_modern(version) else shown.legacy
            place.status = 200
            return success(request.id, self._terms.listed(shown, version, lambda: list_page(entries, None)), session)

    def _tool(self, request: Request, identity: Identity) -> Tool | None:
        """The tool of a call that needs nothing but its result; None for every other request."""
        params = request.params
        name, arguments = params.get("name"), params.get("arguments", {})
        if request.method != CALL or not isinstance(name, str) or not isinstance(arguments, dict):
            return None
        if not params.keys() <= {"name", "arguments", "_meta"}:
            return None
        tool = self._face.catalog(identity).tools.get(name)
        if tool is None or not self._is_open(tool):
            return None
        return None if identity.scopes is not None and unmet(identity.scopes, tool_need(tool)) else tool

    def _is_open(self, tool: Tool) -> bool:
        """Whether calls of ``tool`` are answered with one body, and read from the body alone."""
        catalog = self._face.catalog_of_all()
        if catalog is not self._catalog:
            self._catalog, self._open = catalog, {}
        found = self._open.get(tool.name)
        if found is None:
            found = self._open[tool.name] = (
                not self._face.may_speak(tool.name)
                and STAGES * tool.limits.execution_time <= PATIENCE_MS
                and find_invalid_x_mcp_header(tool.input.source) is None
                and not x_mcp_header_map(tool.input.source)
            )
        return found

    @contextmanager
    def _admitted(self, identity: Identity) -> Generator[_Place | None]:
        """A place among the requests that are open, and a row in the figures; None where there is none."""
        slot = self._guards.admission.enter(identity.principal)
        if isinstance(slot, Response):
            yield None
            return
        counts, place = self._guards.counts, _Place()
        if counts is not None:
            counts.open += 1
        try:
            yield place
        finally:
            slot.free()
            if counts is not None:
                counts.open -= 1
                counts.answered[PATH, place.status] += 1


class _Place:
    """Of one request."""

    def __init__(self) -> None:
        self.status = LEFT

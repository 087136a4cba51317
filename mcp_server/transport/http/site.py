"""Which routes there are, and the guards before every one of them; the only place that knows both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mcp.server.sse import SseServerTransport
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.settings.http import HttpSettings
from mcp_server.transport.http.address import Address
from mcp_server.transport.http.admission import Admission, Readiness
from mcp_server.transport.http.auth import Authentication
from mcp_server.transport.http.bodies import BodyGuard, BodyRule
from mcp_server.transport.http.challenge import Challenge
from mcp_server.transport.http.common import Common
from mcp_server.transport.http.counted import RequestCounts
from mcp_server.transport.http.door import Door
from mcp_server.transport.http.gate import MessageGate
from mcp_server.transport.http.heads import HeadGuard
from mcp_server.transport.http.health import HEALTH, READY, health_routes
from mcp_server.transport.http.hosts import HostGuard, Names
from mcp_server.transport.http.problem import problem
from mcp_server.transport.http.rates import Rates
from mcp_server.transport.http.sessions import SessionManager
from mcp_server.transport.http.sse import MESSAGES_PATH, SseMessages, SseStream
from mcp_server.transport.http.streamable import StreamableEndpoint
from mcp_server.transport.http.streams import Streams
from mcp_server.transport.http.verifier import TokenVerifier
from mcp_server.transport.lane.guards import Guards
from mcp_server.transport.mcp_face import McpFace

__all__ = ["MCP_PATH", "SSE_PATH", "Annex", "Site"]

MCP_PATH, SSE_PATH = "/mcp", "/sse"
KIB = 1024
FAILURES_PER_SECOND, FAILURES_BURST = 1.0, 50
"""Bad tokens that one address may try; a good one is never refused for them."""


@dataclass(frozen=True, slots=True)
class Annex:
    """Routes that somebody adds beside MCP's own; they stand behind the same guards.

    Attributes:
        routes: They; each asks for the scopes it needs itself, with the challenge of the site.
        public: Paths among them that are read without a token.
        bodies: Rules for their bodies, by path.
        joined: Told, before anything is served, how the site refuses for want of scopes, and where its streams are.
        door: The way in for browsers, where this annex is for people; one site has one.
    """

    routes: Sequence[BaseRoute] = ()
    public: frozenset[str] = frozenset()
    bodies: Mapping[str, BodyRule] = field(default_factory=dict[str, BodyRule])
    joined: Callable[[Challenge, Streams], None] | None = None
    door: Door | None = None


class Site:
    """The application that a server runs, and the parts of it that the server must know.

    Args:
        face: What is served.
        settings: In force.
        address: Where it listens.
        verifier: Judges tokens; None where everybody may call.
        challenge: The answers 401 and 403.
        annexes: More routes.
        common: Where several processes serve as one: what they share. There are no sessions then, and no ``/sse``.
        counts: Keeps figures of requests.
        before: Called before each request; where several processes serve as one, it does what the others were told.

    Attributes:
        app: The application.
        routes: All that it has.
        public: Paths that are read without a token.
        guards: What the lane asks in their place.
    """

    def __init__(
        self,
        face: McpFace,
        settings: HttpSettings,
        address: Address,
        verifier: TokenVerifier | None,
        *,
        challenge: Challenge | None = None,
        annexes: Sequence[Annex] = (),
        common: Common | None = None,
        counts: RequestCounts | None = None,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.face, self.settings, self._common = face, settings, common
        self._sessions = common is None
        self.readiness, self.streams = Readiness(), Streams(settings.recheck_seconds)
        self._body_cap = settings.max_body_kb * KIB
        self.manager = self._session_manager()
        face.joined.append(self.manager.joined)
        face.cancelled.append(self.manager.cancelled)
        challenge = challenge or Challenge()
        for annex in annexes:
            if annex.joined is not None:
                annex.joined(challenge, self.streams)
        self.public = frozenset({HEALTH}).union(*(annex.public for annex in annexes))
        self.routes = [*self._own_routes(challenge), *(route for annex in annexes for route in annex.routes)]
        self.admission = self._admission(self._bounded(annexes), self.public | {READY})
        door = next((annex.door for annex in annexes if annex.door is not None), None)
        authentication = self._authenticated(self.admission, verifier, challenge, door)
        names = Names(address, settings.hosts, settings.origins)
        self.guards = Guards(names, verifier, self.admission, self.manager, counts, self._body_cap, before)
        app: ASGIApp = HostGuard(authentication, names)
        if door is not None:
            door.joined(authentication, signs_in=verifier is not None)
            app = door.dressed(app)
        app = HeadGuard(app)
        app = counts.around(app, self.routes) if counts else app
        self.app: ASGIApp = _after(before, app) if before else app

    def _session_manager(self) -> SessionManager:
        return SessionManager(
            self.face.server,
            most=self.settings.max_sessions,
            most_of_one=self.settings.max_sessions_per_principal,
            idle_seconds=self.settings.session_idle_seconds,
            max_body=self._body_cap,
            stateless=not self._sessions,
        )

    def _bounded(self, annexes: Sequence[Annex]) -> ASGIApp:
        """The routes, behind the guard of bodies."""
        router = Router(self.routes, redirect_slashes=False, default=_not_found)
        rules = {path: rule for annex in annexes for path, rule in annex.bodies.items()}
        return BodyGuard(router, BodyRule(self._body_cap, seconds=self.settings.body_seconds), rules)

    def _admission(self, app: ASGIApp, watched: frozenset[str]) -> Admission:
        settings = self.settings
        buckets = self._common.buckets(0) if self._common else None
        return Admission(
            app,
            Rates(settings.requests_per_second, settings.burst, buckets=buckets),
            self.readiness,
            most=settings.max_requests,
            most_of_one=settings.max_requests_per_principal,
            most_streams=settings.max_streams_per_principal,
            watched=watched,
        )

    def _authenticated(
        self, app: ASGIApp, verifier: TokenVerifier | None, challenge: Challenge, door: Door | None
    ) -> Authentication:
        buckets = self._common.buckets(1) if self._common else None
        failures = Rates(FAILURES_PER_SECOND, FAILURES_BURST, buckets=buckets)
        return Authentication(app, verifier, challenge, self.public, failures, door)

    @property
    def busy(self) -> bool:
        """Whether something is being answered that deserves to be waited for."""
        return self.face.calls > 0 or self.admission.requests.total() > 0

    def _own_routes(self, challenge: Challenge) -> list[BaseRoute]:
        gate = MessageGate(self.face, challenge)
        routes: list[BaseRoute] = [
            *health_routes(self.readiness),
            Route(MCP_PATH, StreamableEndpoint(self.face, self.manager, gate, self.streams, sessions=self._sessions)),
        ]
        if self.settings.sse and self._sessions:
            transport = SseServerTransport(MESSAGES_PATH, max_request_body_size=self._body_cap)
            routes.append(Route(SSE_PATH, SseStream(self.face, transport, self.streams)))
            routes.append(Route(MESSAGES_PATH, SseMessages(transport, gate)))
        return routes


def _after(first: Callable[[], None], app: ASGIApp) -> ASGIApp:
    async def after(scope: Scope, receive: Receive, send: Send) -> None:
        first()
        await app(scope, receive, send)

    return after


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await problem(404, "not_found", "there is nothing at this path")(scope, receive, send)

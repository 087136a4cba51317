"""The guard of identity: every request but those to the public paths carries a bearer token that somebody vouches for.

It refuses before any route is looked at, so a path that nobody thought of is closed too.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.errors import TokenProblem
from mcp_server.policy.scopes import MEMORY_READ, MEMORY_WRITE, TOOLS_CALL, TOOLS_LIST
from mcp_server.transport.http.challenge import Challenge
from mcp_server.transport.http.door import Door, visitor
from mcp_server.transport.http.problem import problem
from mcp_server.transport.http.rates import Rates, too_many
from mcp_server.transport.http.verifier import TokenRefused, TokenVerifier
from mcp_server.transport.identity import Identity, identify, identity_in

__all__ = ["ANONYMOUS", "Authentication", "is_still_good"]

_KEY = "agentmem.still_good"

ANONYMOUS = Identity("anonymous", frozenset({TOOLS_LIST, TOOLS_CALL, MEMORY_READ, MEMORY_WRITE}))
"""Everybody, where the operator wants no authentication; nobody manages the server that way."""
MAX_TOKEN = 16_384
_READING = frozenset({"GET", "HEAD"})


class Authentication:
    """Establishes who calls, or answers 401.

    Args:
        app: What is behind it.
        verifier: Judges tokens; None where everybody may call.
        challenge: The answers.
        public: Paths that are read without a token.
        failures: How many bad tokens an address may try.
        door: Where people come in with a browser; nowhere when omitted.
    """

    def __init__(
        self,
        app: ASGIApp,
        verifier: TokenVerifier | None,
        challenge: Challenge,
        public: Collection[str],
        failures: Rates,
        door: Door | None = None,
    ) -> None:
        self._app, self._verifier, self._challenge = app, verifier, challenge
        self._public = frozenset(public)
        self._failures, self._door = failures, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self._public and scope["method"] in _READING:
            return await self._app(scope, receive, send)
        if self._door is not None and scope["path"] in self._door.open:
            identify(scope, visitor(_address(scope)))
            return await self._app(scope, receive, send)
        why = ""
        try:
            identity = await self._identity(scope)
        except TokenRefused as refused:
            identity, why = None, f"the token {refused}"
        except TokenProblem:
            failed = problem(503, "tokens_unreadable", "tokens cannot be judged now; the operator finds why in the log")
            return await failed(scope, receive, send)
        if identity is None:
            return await self._refuse(why, scope, receive, send)
        identify(scope, identity)
        scope[_KEY] = partial(self._still_good, scope)
        scope["user"] = _user(identity)
        return await self._app(scope, receive, send)

    async def _identity(self, scope: Scope) -> Identity | None:
        if self._verifier is None:
            return ANONYMOUS
        values = Headers(scope=scope).getlist("authorization")
        if not values:
            token = self._door.token(scope) if self._door is not None else None
            return None if token is None else await self.judge(token)
        scheme, _, token = values[0].partition(" ")
        if len(values) > 1 or scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
            raise TokenRefused("must be sent once, as Authorization: Bearer TOKEN")
        return await self.judge(token)

    async def judge(self, token: str) -> Identity:
        """See :class:`~mcp_server.transport.http.door.Judge`."""
        if self._verifier is None:
            return ANONYMOUS
        identity = await self._verifier.verify(token) if 0 < len(token) <= MAX_TOKEN else None
        if identity is None:
            raise TokenRefused("is not known here")
        return identity

    def failed(self, scope: Scope) -> float:
        """See :class:`~mcp_server.transport.http.door.Judge`."""
        return self._failures.take(_address(scope))

    async def _still_good(self, scope: Scope) -> bool:
        try:
            return await self._identity(scope) == identity_in(scope)
        except (TokenRefused, TokenProblem):
            return False

    async def _refuse(self, why: str, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self.failed(scope)
        refused = too_many(wait) if wait else self._challenge.unauthorized(why)
        await refused(scope, receive, send)


async def is_still_good(scope: Scope) -> bool:
    """Whether the token of a request that is being answered would be taken now, for the same caller and scopes."""
    return await scope[_KEY]()


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _user(identity: Identity) -> AuthenticatedUser:
    """What the SDK binds a session to: the principal, and nothing of the token."""
    return AuthenticatedUser(AccessToken(token="", client_id=identity.principal, scopes=[]))

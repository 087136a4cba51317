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
    """

    def __init__(
        self,
        app: ASGIApp,
        verifier: TokenVerifier | None,
        challenge: Challenge,
        public: Collection[str],
        failures: Rates,
    ) -> None:
        self._app, self._verifier, self._challenge = app, verifier, challenge
        self._public = frozenset(public)
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self._public and scope["method"] in _READING:
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
            return None
        scheme, _, token = values[0].partition(" ")
        if len(values) > 1 or scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
            raise TokenRefused("must be sent once, as Authorization: Bearer TOKEN")
        identity = await self._verifier.verify(token)
        if identity is None:
            raise TokenRefused("is not known here")
        return identity

    async def _still_good(self, scope: Scope) -> bool:
        try:
            return await self._identity(scope) == identity_in(scope)
        except (TokenRefused, TokenProblem):
            return False

    async def _refuse(self, why: str, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        wait = self._failures.take(client[0] if client else "")
        refused = too_many(wait) if wait else self._challenge.unauthorized(why)
        await refused(scope, receive, send)


async def is_still_good(scope: Scope) -> bool:
    """Whether the token of a request that is being answered would be taken now, for the same caller and scopes."""
    return await scope[_KEY]()


def _user(identity: Identity) -> AuthenticatedUser:
    """What the SDK binds a session to: the principal, and nothing of the token."""
    return AuthenticatedUser(AccessToken(token="", client_id=identity.principal, scopes=[]))

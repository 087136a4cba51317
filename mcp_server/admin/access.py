"""Who may use a route: each names the scopes it needs, and is given the caller that has them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from mcp_server.policy.scopes import ADMIN, MEMORY_READ, MEMORY_WRITE, TOOLS_LIST, Need, plugin_scope, unmet
from mcp_server.tools.invoke import Caller
from mcp_server.transport.identity import Identity, identity_in

__all__ = ["Admin", "Anyone", "Insufficient", "Lister", "Reader", "ToolCaller", "Writer", "caller_of", "require"]

_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="See docs/http.md for tokens and scopes.")
_Token = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
"""Only for the document: the site's guard has looked at the token before any route is reached."""


class Insufficient(Exception):
    """The token is good, and not for this."""

    def __init__(self, scopes: tuple[str, ...]) -> None:
        super().__init__(" ".join(scopes))
        self.scopes = scopes


def require(identity: Identity, need: Need) -> None:
    """Let ``identity`` go on.

    Raises:
        Insufficient: Its token has not the scopes.
    """
    missing = unmet(identity.scopes, need)
    if missing:
        raise Insufficient(missing)


class _Needs:
    """A dependency: the caller, if its token has a scope."""

    def __init__(self, *scopes: str) -> None:
        self._need: Need = tuple((scope,) for scope in scopes)

    def __call__(self, request: Request, token: _Token) -> Identity:
        del token
        identity = identity_in(request.scope)
        require(identity, self._need)
        return identity


def caller_of(identity: Identity) -> Caller:
    """Whose call it is, for the host."""
    return Caller(identity.principal)


Anyone = Annotated[Identity, Security(_Needs())]
Admin = Annotated[Identity, Security(_Needs(ADMIN), scopes=[ADMIN])]
Lister = Annotated[Identity, Security(_Needs(TOOLS_LIST), scopes=[TOOLS_LIST])]
Reader = Annotated[Identity, Security(_Needs(MEMORY_READ), scopes=[MEMORY_READ])]
Writer = Annotated[Identity, Security(_Needs(MEMORY_WRITE), scopes=[MEMORY_WRITE])]
ToolCaller = Annotated[Identity, Security(_Needs(), scopes=[plugin_scope("<id>")])]
"""Any caller; what a tool needs, its route asks for itself."""

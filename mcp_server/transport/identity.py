"""Who calls, as a transport has established it; every handler asks here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_server.memory.bounds import UNBOUND, Bounds, checked_label

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

__all__ = ["LOCAL", "Identity", "bounds_of", "identify", "identity_in", "identity_of", "join_session", "session_of"]

_KEY, _SESSION = "agentmem.identity", "agentmem.session"


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller.

    Attributes:
        principal: Whose memories, values, limits and audit rows these are. Verifiers of tokens from elsewhere must put
            their issuer into it, so that no subject of theirs is a principal of ours.
        scopes: What the caller's token is good for; None for everything, which is the machine's own user.
    """

    principal: str
    scopes: frozenset[str] | None


LOCAL = Identity("local", None)
"""Whoever started the server on pipes, or can read the token in its state folder."""


def identify(scope: MutableMapping[str, Any], identity: Identity) -> None:
    """Keep with an ASGI request whose it is."""
    scope[_KEY] = identity


def identity_in(scope: MutableMapping[str, Any]) -> Identity:
    """Whose an ASGI request is.

    Raises:
        KeyError: Nobody has established that; the request must not go on.
    """
    return scope[_KEY]


def identity_of(ctx: ServerRequestContext[Any, Any]) -> Identity:
    """Whose an MCP request is."""
    return LOCAL if ctx.request is None else identity_in(ctx.request.scope)


def session_of(ctx: ServerRequestContext[Any, Any]) -> str:
    """The client's session, for what lasts as long as one; empty where the protocol has none."""
    return "stdio" if ctx.request is None else ctx.request.scope.get(_SESSION, "")


def bounds_of(meta: Mapping[str, Any] | None) -> Bounds:
    """The agent and the run that the ``_meta`` of a request says it is for; the client's word, no plugin's or model's.

    Raises:
        MCPError: One of them is no label.
    """
    if not meta:
        return UNBOUND
    said: dict[str, str] = {}
    for name in Bounds._fields:
        key = f"agentmem/{name}"
        if key in meta:
            try:
                said[name] = checked_label(meta[key])
            except ValueError as error:
                from mcp.shared.exceptions import MCPError  # noqa: PLC0415  # who gets here may have no SDK yet
                from mcp_types import INVALID_PARAMS  # noqa: PLC0415  # as above

                raise MCPError(INVALID_PARAMS, f"_meta: '{key}' {error}") from None
    return Bounds(**said)


def join_session(scope: MutableMapping[str, Any], session: str) -> None:
    """Keep with an ASGI request in which session of its principal it is."""
    scope[_SESSION] = session

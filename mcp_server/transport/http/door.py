"""The way in for people with a browser, which sends no bearer token with an address that is typed in.

What the guards need to know of it, and it of them. Who hangs one into the site decides how people sign in; whether a
token is good stays the business of :mod:`.auth`.
"""

from __future__ import annotations

from typing import Protocol

from starlette.types import ASGIApp, Scope

from mcp_server.transport.identity import Identity

__all__ = ["Door", "Judge", "is_visitor", "visitor"]

_VISITOR = "visitor "


class Judge(Protocol):
    """Says whose a token is, by the rules that hold for every request."""

    async def judge(self, token: str) -> Identity:
        """Whose ``token`` it is.

        Raises:
            TokenRefused: It is not good here, or not any more.
            TokenProblem: Tokens cannot be judged now.
        """
        ...

    def failed(self, scope: Scope) -> float:
        """Count a bad token against the address of a request: 0, or the seconds until it may try another."""
        ...


def visitor(address: str) -> Identity:
    """Somebody who may do nothing yet; each address has a share of its own."""
    return Identity(f"{_VISITOR}{address}", frozenset())


def is_visitor(identity: Identity) -> bool:
    """Whether nobody has signed in."""
    return identity.scopes == frozenset() and identity.principal.startswith(_VISITOR)


class Door(Protocol):
    """Where people come in.

    Attributes:
        open: Paths that need no token; who asks there may do nothing yet.
    """

    open: frozenset[str]

    def token(self, scope: Scope) -> str | None:
        """The token that a browser's request stands for; None where nobody signed in, or on other people's paths."""
        ...

    def joined(self, judge: Judge, *, signs_in: bool) -> None:
        """Take the judge, before anything is served; ``signs_in`` is false where everybody may call."""
        ...

    def dressed(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose refusals a browser can show."""
        ...

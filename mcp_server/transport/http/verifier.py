"""Who a bearer token stands for. Each kind of token has a verifier; a chain asks them in turn.

A verifier knows its tokens by their form and answers None to all others, so that kinds stand beside each other.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from mcp_server.backends.tokens import TokenFile, token_digest
from mcp_server.transport.identity import LOCAL, Identity

__all__ = ["LocalToken", "StaticTokens", "TokenRefused", "TokenVerifier", "VerifierChain"]


class TokenRefused(Exception):
    """A token that is not good any more, or not here; the text completes "the token …" and is told to its sender."""


class TokenVerifier(Protocol):
    """Judges one kind of token."""

    async def verify(self, token: str) -> Identity | None:
        """Whose ``token`` it is; None where it is not one of this kind.

        Raises:
            TokenRefused: It is of this kind, and expired, revoked or meant for another server.
        """
        ...


class VerifierChain:
    """Several verifiers; the first that knows a token decides."""

    def __init__(self, verifiers: Sequence[TokenVerifier]) -> None:
        self._verifiers = tuple(verifiers)

    async def verify(self, token: str) -> Identity | None:
        """See :class:`TokenVerifier`."""
        for verifier in self._verifiers:
            identity = await verifier.verify(token)
            if identity is not None:
                return identity
        return None


class LocalToken:
    """The random token of a server on this machine: who can read it is the user that started the server."""

    def __init__(self, token: str) -> None:
        self._digest = token_digest(token)

    async def verify(self, token: str) -> Identity | None:
        """See :class:`TokenVerifier`."""
        return LOCAL if hmac.compare_digest(self._digest, token_digest(token)) else None


class StaticTokens:
    """The tokens that ``token create`` gave out; a revoked one is refused from the next request on.

    Args:
        file: Where they are kept.
        clock: Seconds since 1970.
    """

    def __init__(self, file: TokenFile, clock: Callable[[], float] = time.time) -> None:
        self._file, self._clock = file, clock

    async def verify(self, token: str) -> Identity | None:
        """See :class:`TokenVerifier`.

        Raises:
            TokenProblem: The file cannot be read; nobody is let in then.
        """
        found = self._file.find(token)
        if found is None:
            return None
        if found.expires is not None and found.expires <= self._clock():
            raise TokenRefused("has expired")
        return Identity(found.principal, frozenset(found.scopes))

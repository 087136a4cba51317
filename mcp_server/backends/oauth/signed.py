"""Judges a JSON Web Token (RFC 9068, RFC 8725): issuer, type, algorithm, key, signature, audience and times.

The signature is judged by the key that the issuer shows and by algorithms that the operator named, never by what the
token says about itself. What the claims allow is not judged here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from mcp_server.backends.oauth.keys import Keys, KeySource

__all__ = ["SignedTokens", "TokenInvalid", "TokenRules", "issuer_of"]

logger = logging.getLogger(__name__)

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_REQUIRED = ["iss", "aud", "exp"]
_WHY: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "has expired"),
    (jwt.ImmatureSignatureError, "is not valid yet"),
    (jwt.InvalidAudienceError, "is meant for another server"),
    (jwt.InvalidAlgorithmError, "is signed in a way that is not allowed here"),
    (jwt.InvalidSignatureError, "has a wrong signature"),
    (jwt.MissingRequiredClaimError, "misses a claim: iss, aud and exp are required"),
)


class TokenInvalid(Exception):
    """A token that is not good; the text completes "the token …" and says nothing about keys."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What the tokens of one issuer must be like.

    Attributes:
        issuer: Exactly as in ``iss``.
        audience: One that ``aud`` must hold.
        algorithms: The only ones.
        types: Values of ``typ``, without ``application/``; case does not matter.
        leeway: Seconds by which clocks may differ.
    """

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    types: tuple[str, ...]
    leeway: int


def issuer_of(token: str) -> str | None:
    """Who says to have signed ``token``, to find the rules by which that is judged; None where it is no such token."""
    if not _FORM.fullmatch(token):
        return None
    try:
        issuer: object = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, RecursionError):
        return None
    return issuer if isinstance(issuer, str) else None


class SignedTokens:
    """The tokens of one issuer.

    Args:
        rules: What they must be like.
        source: Gives its keys.
    """

    def __init__(self, rules: TokenRules, source: KeySource) -> None:
        self.rules, self._source = rules, source
        self._types = frozenset(name.lower().removeprefix("application/") for name in rules.types)

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What a good token says.

        Raises:
            TokenInvalid: It is not good.
            TokenProblem: The keys cannot be had, so nobody can tell.
        """
        algorithm, identifier = self._header(token)
        keys = await self._source.current()
        found = _fitting(keys, algorithm, identifier)
        if not found:
            found = _fitting(await self._source.newer(keys), algorithm, identifier)
        if len(found) != 1:
            raise TokenInvalid("is signed with a key that its issuer does not show")
        return self._judged(token, found[0], algorithm)

    def _header(self, token: str) -> tuple[str, str | None]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise TokenInvalid("is no JSON Web Token") from None
        kind, algorithm, identifier = header.get("typ"), header.get("alg"), header.get("kid")
        if algorithm not in self.rules.algorithms:
            raise TokenInvalid("is signed in a way that is not allowed here")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in self._types:
            raise TokenInvalid(f"is not of the type {' or '.join(sorted(self._types))}")
        if identifier is not None and not isinstance(identifier, str):
            raise TokenInvalid("is no JSON Web Token")
        return algorithm, identifier

    def _judged(self, token: str, key: Mapping[str, Any], algorithm: str) -> Mapping[str, Any]:
        try:
            # The operator's word and the key's decide on the algorithm; the header's was compared with both.
            return jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm),
                algorithms=list(self.rules.algorithms),
                audience=self.rules.audience,
                issuer=self.rules.issuer,
                leeway=self.rules.leeway,
                options={"require": _REQUIRED, "enforce_minimum_key_length": True},
            )
        except jwt.InvalidKeyError as error:
            logger.warning("a key of %s cannot be used: %s", self.rules.issuer, error)
            raise TokenInvalid("is signed with a key that cannot be used") from None
        except (jwt.PyJWTError, RecursionError) as error:
            why = next((text for kind, text in _WHY if isinstance(error, kind)), "is no good JSON Web Token")
            raise TokenInvalid(why) from None


def _fitting(keys: Keys, algorithm: str, identifier: str | None) -> list[Mapping[str, Any]]:
    """The keys that may have signed; more than one only where the token does not name its key."""
    family = _FAMILIES[algorithm[:2]]
    return [
        key
        for key in keys
        if key.get("kty") == family
        and key.get("alg", algorithm) == algorithm
        and (identifier is None or key.get("kid") == identifier)
    ]

"""What the claims of a verified access token stand for here: who calls, and with which scopes. Values only.

Claims are what an authorization server says; none of them gives a word that the operator's rules do not let through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from mcp_server.policy.scopes import ADMIN, scope_problem

__all__ = ["MOST_SUBJECT", "ClaimRules", "principal_in", "scopes_in"]

MOST_SUBJECT = 256
"""Characters of a subject."""
_MOST_WORDS = 1_000


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """How the tokens of one issuer are read.

    Attributes:
        issuer: Its URL, which has no ``|``.
        subject: The claim that says who calls.
        scopes: The claims that say what for: texts of words with spaces between, or lists of words.
        mapped: Word of a token -> our scopes; a word that is not here stands for itself.
        admin: Whether its tokens may carry ``admin:plugins``.
    """

    issuer: str
    subject: str = "sub"
    scopes: tuple[str, ...] = ("scope", "scp")
    mapped: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    admin: bool = False


def principal_in(claims: Mapping[str, Any], rules: ClaimRules) -> str | None:
    """``<issuer>|<subject>``; None where the token names no usable subject.

    The first ``|`` ends the issuer, so two issuers never meet in one principal, nor does one of them meet a local name.
    """
    subject = claims.get(rules.subject)
    if not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT or not subject.isprintable():
        return None
    return f"{rules.issuer}|{subject}"


def scopes_in(claims: Mapping[str, Any], rules: ClaimRules) -> frozenset[str]:
    """Our scopes in a token; words of other servers have no part in them."""
    found: set[str] = set()
    for claim in rules.scopes:
        for number, word in enumerate(_words(claims.get(claim))):
            if number >= _MOST_WORDS:
                break
            found.update(rules.mapped.get(word, (word,)))
    return frozenset(word for word in found if not scope_problem(word) and (word != ADMIN or rules.admin))


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split()
    elif isinstance(value, list):
        yield from (word for word in cast("list[object]", value) if isinstance(word, str))

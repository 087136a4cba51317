"""``WWW-Authenticate``: what a caller is told to bring (RFC 6750, and RFC 9728 where there is metadata)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.responses import Response

from mcp_server.policy.scopes import BASIC
from mcp_server.transport.http.problem import problem

__all__ = ["Challenge"]

REALM = "agentmem-mcp"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The answers 401 and 403 of one server.

    Attributes:
        metadata_url: Of the RFC 9728 document, where an authorization server gives out the tokens; else None.
    """

    metadata_url: str | None = None

    def unauthorized(self, why: str = "") -> Response:
        """401: no token, or with ``why`` one that is not good."""
        header = self._header("invalid_token" if why else "", why, BASIC)
        detail = why or "send a token: Authorization: Bearer …"
        return problem(401, "unauthorized", detail, {"www-authenticate": header})

    def insufficient(self, scopes: Iterable[str]) -> Response:
        """403: the token is good, and not for this; ``scopes`` are all that the operation needs."""
        needed = tuple(scopes)
        why = f"this needs the scopes {' '.join(needed)}"
        header = self._header("insufficient_scope", why, needed)
        return problem(403, "insufficient_scope", why, {"www-authenticate": header})

    def _header(self, error: str, why: str, scopes: Iterable[str]) -> str:
        parts = {
            "realm": REALM,
            "error": error,
            "error_description": why,
            "scope": " ".join(scopes),
            "resource_metadata": self.metadata_url or "",
        }
        return "Bearer " + ", ".join(f'{name}="{_quotable(value)}"' for name, value in parts.items() if value)


def _quotable(text: str) -> str:
    """``text`` with nothing in it that a header or its quotes cannot hold."""
    return text.encode("ascii", "replace").decode().replace("\\", "?").replace('"', "'")

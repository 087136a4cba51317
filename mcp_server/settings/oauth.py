"""``[http.oauth]``: the authorization servers whose access tokens are good here, and what their claims stand for."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mcp_server.policy.scopes import scope_problem

__all__ = ["IssuerSettings", "OAuthSettings"]

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]  # none with a shared secret: a server that only verifies must not be able to sign
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class IssuerSettings(BaseModel):
    """``[http.oauth.issuers.<name>]``: one authorization server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    jwks_url: str | None = None
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    types: tuple[str, ...] = Field(default=("at+jwt",), min_length=1)
    audience: str | None = Field(default=None, min_length=1, max_length=2_048)
    subject_claim: str = Field(default="sub", min_length=1)
    scope_claims: tuple[str, ...] = ("scope", "scp")
    scopes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    admin: bool = False

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        return url if url is None else _checked(url)

    @field_validator("scopes")
    @classmethod
    def _known(cls, scopes: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        problems = [problem for words in scopes.values() for word in words if (problem := scope_problem(word))]
        if problems:
            raise ValueError("; ".join(problems))
        return scopes


class OAuthSettings(BaseModel):
    """``[http.oauth]``: read when the server starts; without an issuer there is no OAuth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    resource: str | None = None
    leeway_seconds: int = Field(default=30, ge=0, le=300)
    jwks_refresh_seconds: float = Field(default=300.0, ge=1, le=86_400)
    jwks_pause_seconds: float = Field(default=10.0, gt=0, le=3_600)
    jwks_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    issuers: dict[str, IssuerSettings] = Field(default_factory=dict)

    @field_validator("resource")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        return url if url is None else _checked(url)

    @model_validator(mode="after")
    def _whole(self) -> OAuthSettings:
        if self.issuers and self.resource is None:
            raise ValueError("resource is required: the URL that clients use, such as https://mcp.example.com/mcp")
        said = [one.issuer for one in self.issuers.values()]
        if len(set(said)) < len(said):
            raise ValueError("two issuers have the same URL")
        return self


def _checked(url: str) -> str:
    """``url``, where keys and tokens may travel to and from it: https, or this machine."""
    parts = urlsplit(url)
    plain = url.isascii() and url.isprintable() and not set(url) & set(' |"<>\\')
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(f"'{url}' must be a URL such as https://login.example.com")
    if parts.fragment or parts.query:
        raise ValueError(f"'{url}' must have no query and no fragment")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"'{url}' must be https, unless it is on this machine")
    return url

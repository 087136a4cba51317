"""OAuth 2.1 as a resource server: access tokens of the operator's issuers, and the document that names these issuers.

Tokens end here: what goes on is an identity. This server gives out none, asks for none, and hands none on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mcp_server.backends.oauth.keys import KeySource
from mcp_server.backends.oauth.signed import SignedTokens, TokenInvalid, TokenRules, issuer_of
from mcp_server.policy.claims import ClaimRules, principal_in, scopes_in
from mcp_server.policy.scopes import ADMIN, WORDS
from mcp_server.settings.oauth import IssuerSettings, OAuthSettings
from mcp_server.transport.http.reading import ReadRoute
from mcp_server.transport.http.site import Annex
from mcp_server.transport.http.verifier import TokenRefused
from mcp_server.transport.identity import Identity

__all__ = ["WELL_KNOWN", "AccessTokens", "metadata_annex", "metadata_url"]

WELL_KNOWN = "/.well-known/oauth-protected-resource"
"""RFC 9728; the path of the resource may follow."""


@dataclass(frozen=True, slots=True)
class _Issuer:
    tokens: SignedTokens
    claims: ClaimRules


class AccessTokens:
    """The verifier of JSON Web Tokens; a token of an issuer that nobody named is not one of its kind.

    Args:
        settings: With at least one issuer.
    """

    def __init__(self, settings: OAuthSettings) -> None:
        self._issuers: Mapping[str, _Issuer] = {one.issuer: _issuer(one, settings) for one in settings.issuers.values()}

    async def verify(self, token: str) -> Identity | None:
        """See :class:`~mcp_server.transport.http.verifier.TokenVerifier`.

        Raises:
            TokenProblem: The keys of its issuer cannot be had.
        """
        issuer = self._issuers.get(issuer_of(token) or "")
        if issuer is None:
            return None
        try:
            claims = await issuer.tokens.claims(token)
        except TokenInvalid as error:
            raise TokenRefused(str(error)) from None
        principal = principal_in(claims, issuer.claims)
        if principal is None:
            raise TokenRefused(f"does not say in '{issuer.claims.subject}' who calls")
        return Identity(principal, scopes_in(claims, issuer.claims))


def metadata_url(resource: str) -> str:
    """Where the document about ``resource`` is."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"


def metadata_annex(settings: OAuthSettings) -> Annex:
    """The document at both of its paths: with that of the resource behind it, and bare."""
    document = {
        "resource": settings.resource,
        "authorization_servers": [one.issuer for one in settings.issuers.values()],
        "scopes_supported": [
            word for word in WORDS if word != ADMIN or any(one.admin for one in settings.issuers.values())
        ],
        "bearer_methods_supported": ["header"],
        "resource_name": "agentmem-mcp",
    }

    async def metadata(request: Request) -> Response:
        del request
        return JSONResponse(document, headers={"cache-control": "public, max-age=300"})

    paths = {WELL_KNOWN, urlsplit(metadata_url(settings.resource or "")).path}
    return Annex([ReadRoute(path, metadata) for path in sorted(paths)], frozenset(paths))


def _issuer(one: IssuerSettings, settings: OAuthSettings) -> _Issuer:
    source = KeySource(
        one.issuer,
        one.jwks_url,
        refresh_seconds=settings.jwks_refresh_seconds,
        pause_seconds=settings.jwks_pause_seconds,
        timeout_seconds=settings.jwks_timeout_seconds,
    )
    rules = TokenRules(
        issuer=one.issuer,
        audience=one.audience or settings.resource or "",
        algorithms=one.algorithms,
        types=one.types,
        leeway=settings.leeway_seconds,
    )
    claims = ClaimRules(one.issuer, one.subject_claim, one.scope_claims, one.scopes, one.admin)
    return _Issuer(SignedTokens(rules, source), claims)

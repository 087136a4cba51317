"""Where an issuer's keys are, by what it says about itself (RFC 8414, OpenID Connect Discovery); nothing else is taken.

The document comes from the network, so it is believed as far as it cannot harm: it must name the issuer that was asked
for, and keys that are at the issuer's own origin. Keys elsewhere are for the operator to name.
"""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from mcp_server.backends.oauth.documents import DocumentRefused, read_document

__all__ = ["discovered_keys_url", "metadata_urls"]


def metadata_urls(issuer: str) -> list[str]:
    """Where the document of ``issuer`` may be, in the order in which MCP has clients look."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    urls = [f"{origin}/.well-known/{name}{path}" for name in ("oauth-authorization-server", "openid-configuration")]
    return [*urls, f"{origin}{path}/.well-known/openid-configuration"] if path else urls


async def discovered_keys_url(issuer: str) -> str:
    """The URL of the JSON Web Key Set of ``issuer``; how long that may take is the caller's to say.

    Args:
        issuer: As the operator named it; https, or on this machine.

    Raises:
        DocumentRefused: It says nothing about itself that can be believed; why, of each place.
    """
    reasons: list[str] = []
    for url in metadata_urls(issuer):
        try:
            return _keys_in(await read_document(url), issuer, url)
        except DocumentRefused as error:
            reasons.append(str(error))
    raise DocumentRefused("; ".join(reasons))


def _keys_in(document: object, issuer: str, url: str) -> str:
    said = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    if said.get("issuer") != issuer:
        raise DocumentRefused(f"{url}: its issuer is {str(said.get('issuer'))[:200]!r}, expected {issuer!r}")
    keys = said.get("jwks_uri")
    if not isinstance(keys, str) or _origin(keys) != _origin(issuer):
        raise DocumentRefused(
            f"{url}: its jwks_uri is {str(keys)[:200]!r}, which is not at the issuer's own origin; "
            "if the keys are there, set jwks_url to it"
        )
    return keys


def _origin(url: str) -> tuple[str, str] | None:
    """Scheme and authority; a user's name, an odd port or odd characters make it another one, or none."""
    if not url.isascii() or not url.isprintable() or set(url) & set(' |"<>\\'):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc.lower())

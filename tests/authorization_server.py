"""A real authorization server on loopback: shows keys, signs access tokens, and gives them out to who asks properly."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mcp_server.testing.servers import LocalSite, Reply, WebRequest, local_site

__all__ = ["RESOURCE", "WELL_KNOWN", "AuthorizationServer", "Key", "authorization_server", "ec_key", "rsa_key"]

RESOURCE = "http://127.0.0.1:8765/mcp"
"""The audience, where a test does not say another; it need not be the address that the server has."""


WELL_KNOWN = "/.well-known/oauth-authorization-server"


class Key:
    """One signing key.

    Attributes:
        name: ``kid``.
        algorithm: What it signs with.
    """

    def __init__(self, name: str, algorithm: str, private: PrivateKeyTypes) -> None:
        self.name, self.algorithm, self.private = name, algorithm, private

    def shown(self, **more: Any) -> dict[str, Any]:
        """The public half as a JSON Web Key."""
        maker = jwt.get_algorithm_by_name(self.algorithm)
        public = json.loads(maker.to_jwk(self.private.public_key()))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportAttributeAccessIssue, reportCallIssue, reportArgumentType]  # untyped there
        return {**public, "kid": self.name, "use": "sig", "alg": self.algorithm, **more}

    def pem(self) -> bytes:
        """The public half, as a confused verifier would take it for a shared secret."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def rsa_key(name: str = "one", algorithm: str = "RS256", bits: int = 2048) -> Key:
    """A new RSA key."""
    return Key(name, algorithm, rsa.generate_private_key(public_exponent=65_537, key_size=bits))


def ec_key(name: str = "one") -> Key:
    """A new key on P-256."""
    return Key(name, "ES256", ec.generate_private_key(ec.SECP256R1()))


class AuthorizationServer:
    """One while it runs.

    Attributes:
        url: The issuer.
        key: What it signs with.
        keys: The document that it shows.
        audience: Of the tokens that it gives out.
        down: Whether it answers 503 to everything.
        path: What the issuer's URL has behind the host.
        metadata: The document about it by its path; that of RFC 8414 when nothing is said.
    """

    def __init__(self, key: Key) -> None:
        self.key, self.audience, self.down = key, RESOURCE, False
        self.keys: Any = {"keys": [key.shown()]}
        self.scopes = "tools:list tools:call"
        self.path = ""
        self.metadata: dict[str, Any] | None = None
        self.site: LocalSite | None = None

    @property
    def url(self) -> str:
        assert self.site is not None
        return self.site.url + self.path

    @property
    def looks(self) -> int:
        """How often somebody has asked for the keys."""
        assert self.site is not None
        return sum(request.path == "/jwks" for request in self.site.requests)

    def settings(self, **more: Any) -> dict[str, Any]:
        """``[http.oauth]`` for it; ``more`` goes to the issuer."""
        issuer = {"issuer": self.url, "jwks_url": f"{self.url}/jwks", **more}
        issuer = {key: value for key, value in issuer.items() if value is not None}
        return {"resource": self.audience, "jwks_pause_seconds": 0.01, "issuers": {"local": issuer}}

    def token(
        self, *, key: Key | None = None, header: dict[str, Any] | None = None, without: str = "", **claims: Any
    ) -> str:
        """A good token, but for what is said."""
        key, now = key or self.key, int(time.time())
        said: dict[str, Any] = {
            "iss": self.url,
            "aud": self.audience,
            "sub": "ann",
            "iat": now,
            "exp": now + 300,
            "client_id": "tests",
            "scope": self.scopes,
            **claims,
        }
        said.pop(without, None)
        headers = {"typ": "at+jwt", "kid": key.name, **(header or {})}
        return jwt.encode(said, key.private, key.algorithm, headers)  # pyright: ignore[reportArgumentType]  # any key

    def described(self, **more: Any) -> dict[str, Any]:
        """What it says about itself, but for what is said."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url.removesuffix(self.path)}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            **more,
        }

    def answer(self, request: WebRequest) -> Reply:
        """RFC 7517 keys, RFC 8414 metadata, and a token endpoint for client credentials."""
        if self.down:
            return Reply("down", 503)
        match request.path:
            case "/jwks":
                return Reply(self.keys)
            case path if "/.well-known/" in path:
                shown = {WELL_KNOWN: self.described()} if self.metadata is None else self.metadata
                found = shown.get(path, Reply("", 404))
                return found if isinstance(found, Reply) else Reply(found)
            case "/token":
                asked = parse_qs(request.body.decode())
                token = self.token(aud=asked["resource"][0], scope=asked.get("scope", [""])[0])
                return Reply({"access_token": token, "token_type": "Bearer", "expires_in": 300})
            case _:
                return Reply("", 404)


@contextmanager
def authorization_server(key: Key | None = None) -> Generator[AuthorizationServer]:
    """Run one until the context ends."""
    server = AuthorizationServer(key or ec_key())
    with local_site(server.answer) as site:
        server.site = site
        yield server

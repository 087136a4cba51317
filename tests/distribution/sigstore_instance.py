"""A Sigstore instance on loopback: an issuer of identity tokens, an authority and a log behind one real web server."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.distribution.sigstore_authority import Authority
from tests.distribution.sigstore_log import Log, key_id, public_bytes

__all__ = ["Instance", "instance"]

ALWAYS = {"start": "2020-01-01T00:00:00Z"}
TRUSTED_ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNING_CONFIG = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
TRUST_CONFIG = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"


class Instance:
    """Its parts, and what a client must know of it.

    Attributes:
        origin: Where it listens.
        asked: The path of each request.
        visitor: Who signs in with a browser.
        slow: A path whose requests are answered at the end alone.
        odd: Path -> status and answer, in place of the right one.
    """

    def __init__(self) -> None:
        self.origin = ""
        self.asked: list[str] = []
        self.visitor = "ann@example.com"
        self.slow = ""
        self.odd: dict[str, tuple[int, Any]] = {}
        self.closing = threading.Event()
        self.authority, self.log = Authority(), Log()
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self, identity: str, issuer: str | None = None) -> str:
        """What an issuer, this one by default, says about somebody."""
        now = int(time.time())
        claims = {"iss": issuer or self.origin, "sub": identity, "aud": "sigstore", "iat": now, "exp": now + 600}
        return jwt.encode(claims, self._key, "ES256")

    def write(self, folder: Path, *, whole: bool = True) -> Path:
        """The file that clients trust it by; not ``whole``: without where its servers are."""
        path = folder / ("instance.json" if whole else "root.json")
        path.write_text(json.dumps(self._trust() if whole else self._trusted_root()), encoding="utf-8")
        return path

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """To a request."""
        if path == self.slow:
            self.closing.wait(60)
        if path in self.odd:
            return self.odd[path]
        match urlsplit(path).path:
            case "/.well-known/openid-configuration":
                return 200, {name: f"{self.origin}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            case "/authorization_endpoint":  # who comes here has signed in already
                query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
                back = urlencode({"code": "a-code", "state": query["state"]})
                return 302, {"location": f"{query['redirect_uri']}?{back}"}
            case "/token_endpoint":
                return 200, {"access_token": self.token(self.visitor)}
            case "/api/v2/signingCert":
                return self._certificate(headers.get("authorization", "").removeprefix("Bearer "), json.loads(body))
            case "/api/v1/log/entries":
                return 201, self.log.add(json.loads(body), int(time.time()))
            case _:
                return 404, {"code": 404, "message": "there is nothing here"}

    def _certificate(self, token: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        try:
            claims = jwt.decode(token, self._key.public_key(), ["ES256"], audience="sigstore")
        except jwt.InvalidTokenError as error:
            return 401, {"code": 16, "message": str(error)}
        request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        certificate = self.authority.issue(request, claims["sub"], claims["iss"])
        return 200, {"signedCertificateEmbeddedSct": {"chain": {"certificates": self.authority.chain(certificate)}}}

    def _trust(self) -> dict[str, Any]:
        here = [{"url": self.origin, "majorApiVersion": 1, "validFor": ALWAYS, "operator": "example"}]
        servers = {"mediaType": SIGNING_CONFIG, "caUrls": here, "oidcUrls": here, "rekorTlogUrls": here}
        servers |= {"rekorTlogConfig": {"selector": "ANY"}, "tsaUrls": [], "tsaConfig": {"selector": "ANY"}}
        return {"mediaType": TRUST_CONFIG, "trustedRoot": self._trusted_root(), "signingConfig": servers}

    def _trusted_root(self) -> dict[str, Any]:
        root = base64.b64encode(self.authority.root.public_bytes(Encoding.DER)).decode()
        authority = {
            "subject": {"organization": "example", "commonName": "authority.example"},
            "certChain": {"certificates": [{"rawBytes": root}]},
            "validFor": ALWAYS,
        }
        logs = {"tlogs": [self._log(self.log.key)], "ctlogs": [self._log(self.authority.log_key)]}
        return {"mediaType": TRUSTED_ROOT, "certificateAuthorities": [authority], "timestampAuthorities": [], **logs}

    def _log(self, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
        public = base64.b64encode(public_bytes(key)).decode()
        return {
            "baseUrl": self.origin,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {"rawBytes": public, "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": ALWAYS},
            "logId": {"keyId": base64.b64encode(key_id(key)).decode()},
        }


@contextmanager
def instance() -> Generator[Instance]:
    """An instance that runs."""
    made = Instance()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            made.asked.append(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = made.answer(self.path, headers, self.rfile.read(int(headers.get("content-length", "0"))))
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            if status == 302:
                self.send_header("location", answer["location"])
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()

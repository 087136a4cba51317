"""A registry over HTTP: manifests, blobs and the token that it asks for. The distribution protocol, version 1.1.

Small and our own, since a ready client dials whatever a registry names: a redirect, a realm, an upload's location. Here
each of them is judged as any other URL is.
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode, urljoin, urlsplit

from mcp_server.distribution.downloads import Downloads
from mcp_server.distribution.errors import DownloadFailed, DownloadRefused, IndexInvalid, PackageNotFound
from mcp_server.distribution.oci.artifact import MANIFEST_TYPE, Artifact, Blob, Layer, layers_in
from mcp_server.distribution.oci.reference import Reference
from mcp_server.distribution.web import Answer, Web
from mcp_server.errors import IntegrityError

__all__ = ["Registry"]

MOST_MANIFEST_BYTES = 4 * 1024 * 1024
MOST_TOKEN_BYTES = 64 * 1024
_CHALLENGE = re.compile(r'(\w+)="([^"\\]*)"')
_LOG_IN = (
    'name a secret, [sharing.credentials] "HOST" = "NAME" in the configuration, and give it its value, user:password: '
    "AGENTMEM_SECRET_<NAME>"
)
_SCOPES = {"pull": "pull", "push": "pull,push"}


class Registry:
    """One repository of a registry.

    Args:
        web: Asks servers.
        reference: Names the repository.
        plain: Whether the operator lets this host be spoken to without TLS.
        credentials: ``user:password`` by host; for the registry, and for a host of tokens where it has one.
        pushes: Whether something is to be written.
    """

    def __init__(
        self, web: Web, reference: Reference, *, plain: bool, credentials: Mapping[str, str], pushes: bool = False
    ) -> None:
        self._web = web
        self._reference = reference
        self._base = f"{'http' if plain else 'https'}://{reference.host}/v2/{reference.repository}"
        self._credentials = credentials
        self._scope = f"repository:{reference.repository}:{_SCOPES['push' if pushes else 'pull']}"
        self._authorization = ""

    async def manifest(self, downloads: Downloads) -> tuple[Reference, bytes]:
        """The manifest that the reference names, and its name by digest.

        Raises:
            PackageNotFound: The registry has none of that name.
            IntegrityError: It is not what its digest says.
            DownloadFailed: The registry does not answer as it must.
        """
        wanted = self._reference.digest
        data = downloads.kept(wanted) if wanted and downloads.offline else None
        if data is None:
            if downloads.offline:
                raise DownloadFailed(
                    f"{self._reference} is not in the cache, and --offline was said",
                    fix="name it by its digest, or go online",
                )
            url = f"{self._base}/manifests/{self._reference.wanted}"
            async with self._ask("GET", url, {"accept": MANIFEST_TYPE}) as answer:
                if answer.status == 404:
                    raise PackageNotFound(f"there is no {self._reference}", fix="look at the name and the tag")
                _require(answer, 200)
                data = await answer.read(MOST_MANIFEST_BYTES)
        found = hashlib.sha256(data).hexdigest()
        if wanted and found != wanted:
            raise IntegrityError(
                f"{self._reference} has the sha256 {found}", fix="find out who changed it; nothing was installed"
            )
        downloads.keep(data)
        return self._reference.pinned(found), data

    async def files(self, manifest: bytes, downloads: Downloads) -> dict[str, bytes]:
        """The files that ``manifest`` names; each is what its digest says.

        Raises:
            AgentMemError: They cannot be had, or are no package's.
        """
        layers = layers_in(manifest, str(self._reference))
        return {layer.name: await self._blob(layer, downloads) for layer in layers}

    async def has_other(self, artifact: Artifact) -> str:
        """The digest under the reference's tag, where that is another artifact than this one; empty otherwise."""
        async with self._ask(
            "HEAD", f"{self._base}/manifests/{self._reference.wanted}", {"accept": MANIFEST_TYPE}
        ) as answer:
            if answer.status == 404:
                return ""
            _require(answer, 200)
            found = answer.headers.get("docker-content-digest", "")
            return "" if found == artifact.manifest.digest else repr(found[:80])

    async def push(self, artifact: Artifact) -> None:
        """Write ``artifact`` under the reference's tag: what it is made of first.

        Raises:
            DownloadFailed: The registry does not take it.
        """
        for blob in artifact.blobs:
            await self._push_blob(blob)
        url, headers = f"{self._base}/manifests/{self._reference.wanted}", {"content-type": MANIFEST_TYPE}
        async with self._ask("PUT", url, headers, artifact.manifest.data) as answer:
            _require(answer, 201)

    async def _push_blob(self, blob: Blob) -> None:
        async with self._ask("HEAD", f"{self._base}/blobs/{blob.digest}") as answer:
            if answer.status == 200:
                return
        async with self._ask("POST", f"{self._base}/blobs/uploads/", {}, b"") as answer:
            _require(answer, 202)
            location = urljoin(answer.target.url, answer.headers.get("location", ""))
        if self._web.judged(location).origin != self._web.judged(self._base).origin:
            raise DownloadRefused(
                f"{self._reference.host} wants a blob to be sent to another place, {location[:200]!r}"
            )
        place = f"{location}{'&' if urlsplit(location).query else '?'}{urlencode({'digest': blob.digest})}"
        async with self._ask("PUT", place, {"content-type": "application/octet-stream"}, blob.data) as answer:
            _require(answer, 201)

    async def _blob(self, layer: Layer, downloads: Downloads) -> bytes:
        headers = {"authorization": self._authorization} if self._authorization else {}
        url = f"{self._base}/blobs/sha256:{layer.sha256}"
        data = await downloads.get(url, layer.size, sha256=layer.sha256, headers=headers)
        if len(data) != layer.size:
            raise IntegrityError(f"{url} is {len(data)} bytes long; the manifest says {layer.size}")
        return data

    @asynccontextmanager
    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> AsyncGenerator[Answer]:
        """Ask, and ask again with a token when the registry says that one is needed."""
        sent = dict(headers or {})
        if not self._authorization:
            async with self._web.ask(method, url, sent, content, follow=method == "GET") as answer:
                if answer.status != 401:
                    yield answer
                    return
                challenge = answer.headers.get("www-authenticate", "")
            self._authorization = await self._authorized(challenge)
        sent["authorization"] = self._authorization
        async with self._web.ask(method, url, sent, content, follow=method == "GET") as answer:
            if answer.status in (401, 403):
                verb = self._scope.rpartition(":")[2]
                raise DownloadRefused(
                    f"{self._reference.host} does not let you {verb} {self._reference.repository}", fix=_LOG_IN
                )
            yield answer

    async def _authorized(self, challenge: str) -> str:
        kind, _, rest = challenge.partition(" ")
        own = self._credentials.get(self._reference.host)
        if kind.lower() == "basic" and own:
            return _basic(own)
        words = dict(_CHALLENGE.findall(rest))
        if kind.lower() != "bearer" or "realm" not in words:
            raise DownloadRefused(f"{self._reference.host} wants to know who asks", fix=_LOG_IN)
        realm = self._web.judged(words["realm"])
        # A registry can name any realm. What opens this registry goes to no other host that was not named for it.
        named = own if realm.authority == self._reference.host else self._credentials.get(realm.authority)
        asked = {"scope": self._scope} | ({"service": words["service"]} if "service" in words else {})
        url = f"{realm.url}{'&' if realm.query else '?'}{urlencode(asked)}"
        headers = {"authorization": _basic(named)} if named else {}
        async with self._web.ask("GET", url, headers, same_origin=True) as answer:
            _require(answer, 200)
            return f"Bearer {_token(await answer.read(MOST_TOKEN_BYTES), realm.authority)}"


def _token(data: bytes, host: str) -> str:
    try:
        given = json.loads(data)
        token = given.get("token") or given["access_token"]
        if re.fullmatch(r"[!-~]{1,32768}", token):
            return token
    except (ValueError, KeyError, AttributeError, TypeError):
        pass
    raise IndexInvalid(f"{host} answers without a token", fix="tell whoever runs that registry")


def _basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def _require(answer: Answer, status: int) -> None:
    if answer.status != status:
        target = answer.target
        raise DownloadFailed(
            f"{target.scheme}://{target.authority} answers {answer.status} to {target.path}, not {status}",
            fix="try again later, or look at the registry's log",
        )

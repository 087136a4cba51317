"""HTTP for packages: TLS, judged addresses, a bound on time and size, redirects looked at one by one.

An index, a package's page or a registry may name any place, so each connection is opened by the network capability's
dialer, to an address that it judged: no private network, no loopback, unless the operator opened it. A ready client for
registries would resolve and dial by itself, and what it checks is another address than what it connects to. There is
no proxy, and no setting of the environment has a part in it.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urljoin

import anyio
import anyio.to_thread
import httpcore2

from mcp_server import __version__
from mcp_server.capabilities.base import HostRefusal
from mcp_server.capabilities.network.addresses import Dialer, Resolver, SystemResolver
from mcp_server.capabilities.network.urls import parse_url
from mcp_server.distribution.errors import DownloadFailed, DownloadRefused
from mcp_server.policy.network import NetworkDenied, Target
from mcp_server.settings.sharing import SharingSettings

__all__ = ["Answer", "Web"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_HOPS = 5
MOST_HEADERS = 128
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, and its body as it comes.

    Attributes:
        status: Of HTTP.
        headers: Names in lower case; of several with one name, the first.
        target: What answered, after redirects.
        body: The bytes, of no bounded length.
    """

    status: int
    headers: Headers
    target: Target
    body: AsyncIterable[bytes]

    async def read(self, most: int) -> bytes:
        """The whole body.

        Raises:
            DownloadFailed: It is longer than ``most`` bytes, or breaks off.
        """
        data = bytearray()
        async for chunk in self.body:
            data += chunk
            if len(data) > most:
                raise DownloadFailed(f"{self.target.url} answers more than {most} bytes")
        return bytes(data)


class Web:
    """Asks servers; an async context manager that closes its connections.

    Args:
        settings: Address ranges, hosts without TLS, times.
        tls: How servers prove who they are; the system's trust store where it is not given.
        resolver: Turns names into addresses.
    """

    def __init__(
        self, settings: SharingSettings, *, tls: ssl.SSLContext | None = None, resolver: Resolver | None = None
    ) -> None:
        self._settings = settings
        self._tls = tls
        ranges = [ipaddress.ip_network(text) for text in settings.ranges]
        self._dialer = Dialer(resolver or SystemResolver(), ranges)
        self._pool: httpcore2.AsyncConnectionPool | None = None

    async def __aenter__(self) -> Web:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            if self._pool is not None:
                await self._pool.aclose()
            await self._dialer.aclose()

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        url: str,
        headers: Headers | None = None,
        content: bytes | None = None,
        *,
        same_origin: bool = False,
        follow: bool = True,
    ) -> AsyncGenerator[Answer]:
        """Send one request, and follow where it leads.

        Args:
            method: Of HTTP.
            url: Where to; each redirect is judged as this is.
            headers: Sent along; ``authorization`` only as long as the origin stays.
            content: The body.
            same_origin: Refuse a redirect to another origin.
            follow: Whether redirects are followed at all.

        Raises:
            DownloadRefused: A place that nothing is fetched from.
            DownloadFailed: No server, no whole answer, or too many redirects.
        """
        target, sent = self.judged(url), dict(headers or {})
        origin = target.origin
        for _ in range(MOST_HOPS + 1):
            async with self._once(method, target, sent, content) as answer:
                location = answer.headers.get("location") if answer.status in REDIRECTS and follow else None
                if location is None:
                    yield answer
                    return
            target = self._led(target, location, origin, same_origin=same_origin)
            if target.origin != origin:
                sent.pop("authorization", None)
        raise DownloadFailed(f"{url} leads through more than {MOST_HOPS} redirects")

    def judged(self, url: str) -> Target:
        """The parts of ``url``.

        Raises:
            DownloadRefused: It is none, or would go without TLS to a host that the operator did not name.
        """
        try:
            target = parse_url(url)
        except NetworkDenied as denied:
            raise DownloadRefused(f"{url[:200]!r}: {denied.message}", fix="write https://host/path") from None
        if target.scheme != "https" and target.authority not in self._settings.plain_http:
            raise DownloadRefused(
                f"{target.scheme}://{target.authority} is without TLS, and nothing is fetched that way",
                fix=f'use https, or, on a network that is yours alone, [sharing] plain_http = ["{target.authority}"]',
            )
        return target

    def _led(self, target: Target, location: str, origin: tuple[str, str, int], *, same_origin: bool) -> Target:
        led = self.judged(urljoin(target.url, location))
        if target.scheme == "https" and led.scheme != "https":
            raise DownloadRefused(f"{target.url} leads to {led.url}, which is without TLS")
        if same_origin and led.origin != origin:
            raise DownloadRefused(
                f"{target.url} leads to another origin, {led.scheme}://{led.authority}",
                fix="if that is where it lives now, name that URL",
            )
        return led

    @asynccontextmanager
    async def _once(
        self, method: str, target: Target, headers: Headers, content: bytes | None
    ) -> AsyncGenerator[Answer]:
        pool, idle = await self._opened(), self._settings.idle_seconds
        scheme, host, port = target.origin
        url = httpcore2.URL(
            scheme=scheme.encode(), host=host.encode(), port=port, target=(target.path + target.query).encode()
        )
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), idle)
        try:
            async with pool.stream(
                method,
                url,
                headers=_framed(target, headers, content),
                content=content,
                extensions={"timeout": timeouts},
            ) as response:
                yield Answer(response.status, _headers(response, target), target, _chunks(response, target))
        except HostRefusal as refusal:
            raise _refused(refusal) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise _failed(target, error, idle) from None

    async def _opened(self) -> httpcore2.AsyncConnectionPool:
        if self._pool is None:
            tls = self._tls or await anyio.to_thread.run_sync(httpcore2.default_ssl_context)  # reads the trust store
            self._pool = httpcore2.AsyncConnectionPool(ssl_context=tls, network_backend=self._dialer)
        return self._pool


def _framed(target: Target, headers: Headers, content: bytes | None) -> list[tuple[bytes, bytes]]:
    # What is unpacked may be any size, so nothing is asked for that would have to be.
    framed = {"host": target.authority, "user-agent": f"agentmem-mcp/{__version__}", "accept-encoding": "identity"}
    if content is not None:
        framed["content-length"] = str(len(content))
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in {**framed, **headers}.items()]


def _headers(response: httpcore2.Response, target: Target) -> dict[str, str]:
    if len(response.headers) > MOST_HEADERS:
        raise DownloadFailed(f"{target.scheme}://{target.authority} answers with more than {MOST_HEADERS} headers")
    found: dict[str, str] = {}
    for name, value in response.headers:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    if found.get("content-encoding", "identity") != "identity":
        raise DownloadFailed(f"{target.url} answers in the encoding {found['content-encoding'][:40]!r}, unasked")
    return found


async def _chunks(response: httpcore2.Response, target: Target) -> AsyncGenerator[bytes]:
    try:
        async for chunk in response.aiter_stream():
            yield chunk
    except httpcore2.TimeoutException:
        raise DownloadFailed(f"{target.url}: the server stopped sending") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError):
        raise DownloadFailed(f"{target.url}: the connection was lost before the end") from None


def _refused(refusal: HostRefusal) -> DownloadFailed | DownloadRefused:
    if refusal.code != "network_denied":
        return DownloadFailed(refusal.message, fix="look at the name, and at the network")
    return DownloadRefused(
        refusal.message, fix='if it is yours, open its address: [sharing] ranges = ["10.1.2.3/32"] in the configuration'
    )


def _failed(target: Target, error: Exception, idle: float) -> DownloadFailed:
    told = "the connection failed or was lost"
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        told = f"TLS failed: {getattr(cause, 'verify_message', '') or cause.reason or 'no common version'}"
    elif isinstance(error, httpcore2.ConnectError | httpcore2.ConnectTimeout):
        told = "no connection"
    elif isinstance(error, httpcore2.TimeoutException):
        told = f"nothing came for {idle:g} seconds"
    elif isinstance(error, httpcore2.ProtocolError):
        told = "the answer is no HTTP/1.1"
    return DownloadFailed(
        f"{target.scheme}://{target.authority}: {told}", fix="try again later; what has come so far is kept"
    )

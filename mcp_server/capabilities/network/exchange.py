"""One request, one answer, one connection: sent as given, read within bounds, closed.

No connection is used twice. A kept one would carry over what was judged for another plugin's rules, and what a server
ties to a connection; no cookie, no proxy and no setting of the environment has a part in it either.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Generator
from dataclasses import dataclass

import httpcore2
from anyio.lowlevel import checkpoint

from mcp_server import __version__
from mcp_server.capabilities.base import HostRefusal
from mcp_server.capabilities.network.addresses import Dialer
from mcp_server.capabilities.network.asked import Asked
from mcp_server.policy.network import NetworkLimits

__all__ = ["Reply", "exchange"]

PIECE = 256 * 1024
MOST_MEMBERS = 1_024  # empty ones take 20 bytes each, and ten microseconds
WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; the header names are in lower case, the body is decoded unless ``headers`` say how."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name), None)


async def exchange(
    asked: Asked, headers: list[tuple[str, str]], dialer: Dialer, tls: ssl.SSLContext | None, limits: NetworkLimits
) -> Reply:
    """Send ``asked`` with ``headers`` and read the answer.

    Raises:
        HostRefusal: ``network_denied`` (by address), ``http_failed``, ``limit_http_response`` or
            ``limit_http_headers``.
    """
    scheme, host, port = asked.target.origin
    origin = httpcore2.Origin(scheme.encode(), host.encode(), port)
    url = httpcore2.URL(
        scheme=origin.scheme, host=origin.host, port=port, target=(asked.target.path + asked.target.query).encode()
    )
    request = httpcore2.Request(asked.method, url, headers=_framed(asked, headers), content=asked.body)
    try:
        async with httpcore2.AsyncHTTPConnection(origin, ssl_context=tls, network_backend=dialer) as connection:
            response = await connection.handle_async_request(request)
            try:
                return await _read(asked.method, response, limits)
            finally:
                await response.aclose()
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
        raise _failed(asked, error) from None
    finally:
        await dialer.aclose()


def _framed(asked: Asked, headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    given = dict(headers)
    framed = {"host": asked.target.authority, "user-agent": f"agentmem-mcp/{__version__}", "accept": "*/*"} | given
    framed |= {"accept-encoding": "gzip", "connection": "close"}
    if asked.body or asked.method in WITH_LENGTH:
        framed["content-length"] = str(len(asked.body))
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in framed.items()]


def _failed(asked: Asked, error: Exception) -> HostRefusal:
    reason, told = "connection", "the connection failed or was lost"
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        verify = getattr(cause, "verify_message", "")
        reason, told = "tls", f"TLS failed: {verify or cause.reason or 'no common version'}"
    elif isinstance(error, httpcore2.ProtocolError):
        reason, told = "protocol", "the answer is no HTTP/1.1"
    elif isinstance(error, httpcore2.ConnectError | httpcore2.ConnectTimeout):
        reason, told = "connect", "no connection"
    origin = f"{asked.target.scheme}://{asked.target.authority}"
    return HostRefusal("http_failed", f"{asked.method} {origin}: {told}", {"reason": reason})


async def _read(method: str, response: httpcore2.Response, limits: NetworkLimits) -> Reply:
    headers = _checked_headers(response.headers, limits)
    encoding = ",".join(value for name, value in headers if name == "content-encoding").strip().lower()
    length = next((value for name, value in headers if name == "content-length"), "")
    gzipped = encoding in {"gzip", "x-gzip"}
    if length.isdecimal() and not gzipped and method != "HEAD" and response.status != 304:
        _check_size(int(length), limits)
    unpacked = _Gunzip() if gzipped else None
    body, received = bytearray(), 0
    async for chunk in response.aiter_stream():
        received += len(chunk)
        _check_size(received, limits)  # what decodes to nothing has a bound too
        for piece in unpacked.feed(chunk) if unpacked else (chunk,):
            body += piece
            _check_size(len(body), limits)
            await checkpoint()
    if unpacked:
        unpacked.finish(received)
        headers = tuple(item for item in headers if item[0] not in {"content-encoding", "content-length"})
    return Reply(response.status, headers, bytes(body))


def _checked_headers(raw: list[tuple[bytes, bytes]], limits: NetworkLimits) -> tuple[tuple[str, str], ...]:
    if len(raw) > limits.headers or any(len(name) + len(value) > limits.header_bytes for name, value in raw):
        raise HostRefusal(
            "limit_http_headers",
            f"the answer has more than {limits.headers} headers, or one of more than {limits.header_bytes} bytes",
            {"limit": "http_headers", "allowed": limits.headers, "used": len(raw)},
        )
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw)


def _check_size(size: int, limits: NetworkLimits) -> None:
    if size > limits.response_bytes:
        raise HostRefusal(
            "limit_http_response",
            f"the answer is larger than {limits.response_bytes} bytes (counted after decompression)",
            {"limit": "http_response", "allowed": limits.response_bytes},
        )


class _Gunzip:
    """Unpacks gzip, one member or many, in pieces of a bounded size."""

    def __init__(self) -> None:
        self._members = 1
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def feed(self, data: bytes) -> Generator[bytes]:
        while data:
            if self._member.eof:
                if not data.startswith(b"\x1f"):
                    return  # padding after the last member
                self._members += 1
                if self._members > MOST_MEMBERS:
                    raise _bad_gzip()
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                piece = self._member.decompress(data, PIECE)
            except zlib.error:
                raise _bad_gzip() from None
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            yield piece

    def finish(self, received: int) -> None:
        """Raises HostRefusal where the stream stops before its end; HEAD, 204 and 304 have no stream at all."""
        if received and not self._member.eof:
            raise _bad_gzip()


def _bad_gzip() -> HostRefusal:
    return HostRefusal(
        "http_failed", "the answer's gzip is damaged, cut off or in too many members", {"reason": "decode"}
    )

"""The guard of names: a request must be meant for this server, and a page of a browser must be one that may ask.

This is the wall against DNS rebinding and cross-site requests; who the caller is comes later.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.transport.http.address import Address
from mcp_server.transport.http.problem import problem

__all__ = ["HostGuard", "Names"]

_CORS_METHODS = "GET, POST, PUT, PATCH, DELETE"
_CORS_HEADERS = (
    "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name"
)
_EXPOSED = "mcp-session-id, www-authenticate, retry-after"


class Names:
    """The Host and Origin values of one server.

    Args:
        address: Where it listens.
        hosts: More names: ``name``, ``name:port`` or ``name:*``; without a port only the scheme's own.
        origins: Pages elsewhere that may call it, as ``https://app.example.com``.
    """

    def __init__(self, address: Address, hosts: Iterable[str], origins: Iterable[str]) -> None:
        own = {"localhost", "127.0.0.1", "[::1]"} if address.is_loopback or address.is_every else set[str]()
        if not address.is_every:
            own.add(address.authority.rpartition(":")[0])
        self._port = address.port
        self._every = address.is_every
        self._hosts = {f"{name}:{address.port}" for name in own} | set(hosts)
        if address.port == 80:
            self._hosts |= own
        self.origins = frozenset(origins)

    def is_own(self, host: str) -> bool:
        """Whether a Host header means this server."""
        host = host.lower()
        name, colon, port = host.rpartition(":")
        if host in self._hosts or (colon and port.isascii() and port.isdigit() and f"{name}:*" in self._hosts):
            return True
        # An address cannot be rebound as a name can, and a server on all addresses does not know its own.
        return self._every and port == str(self._port) and _is_address(name)

    def may_ask(self, origin: str) -> bool:
        """Whether a page of ``origin`` may: this server's own, or one that the operator named."""
        origin = origin.lower()
        scheme, _, rest = origin.partition("://")
        return origin in self.origins or (scheme in ("http", "https") and self.is_own(rest))


class HostGuard:
    """Answers 421 to a foreign Host and 403 to a foreign Origin; CORS for origins that the operator named.

    Args:
        app: What is behind it.
        names: Those of this server.
    """

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._names.is_own(hosts[0]):
            refused = problem(421, "foreign_host", "this server does not answer to that Host; see [http] hosts")
            return await refused(scope, receive, send)
        if len(origins) > 1 or (origins and not self._names.may_ask(origins[0])):
            refused = problem(
                403, "foreign_origin", "pages of that Origin may not call this server; see [http] origins"
            )
            return await refused(scope, receive, send)
        if origins and origins[0].lower() in self._names.origins:
            return await self._shared(origins[0], headers, scope, receive, send)
        return await self._app(scope, receive, send)

    async def _shared(self, origin: str, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        """A request of a page elsewhere: the browser hands on the answer only with these headers."""
        allowed = {"access-control-allow-origin": origin, "vary": "Origin"}
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            rules = {
                "access-control-allow-methods": _CORS_METHODS,
                "access-control-allow-headers": _CORS_HEADERS,
                "access-control-max-age": "600",
            }
            return await Response(None, 204, {**allowed, **rules})(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update({**allowed, "access-control-expose-headers": _EXPOSED})
            await send(message)

        return await self._app(scope, receive, with_headers)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True

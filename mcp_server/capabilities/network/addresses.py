"""Which addresses may be dialled, and dialling exactly those: what was judged is what is connected to.

The name of a host is resolved once per connection. Every address it has is judged, one refused address refuses the
host, and the socket is opened to an address from that very list, so that a name that changes its mind between check
and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol, cast

import anyio
import anyio.to_thread
import httpcore2

from mcp_server.capabilities.base import HostRefusal
from mcp_server.policy.advice import range_fix
from mcp_server.policy.network import Address, Network

__all__ = ["Dialer", "Resolver", "SystemResolver", "address_kind"]


class Resolver(Protocol):
    """Turns a name into addresses; the seam where tests put a name server of their own."""

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of ``host``; OSError when there are none."""
        ...


class SystemResolver:
    """The operating system's resolver, one per plugin.

    A look-up cannot be stopped once it runs. Those that were given up still count, so that a plugin that asks for
    names whose servers never answer fills neither the process with threads nor another plugin's way.
    """

    def __init__(self, at_once: int = 8) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)
        self._slots = threading.BoundedSemaphore(at_once)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        if not self._slots.acquire(blocking=False):
            raise OSError("too many look-ups under way")
        found = await anyio.to_thread.run_sync(self._look_up, host, port, abandon_on_cancel=True, limiter=self._limiter)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def _look_up(self, host: str, port: int) -> list[Any]:
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        finally:
            self._slots.release()


# Addresses of cloud metadata services. A range opens one only when it is that very address (a /32 or a /128).
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, GCP, Azure, OpenStack, DigitalOcean
        "169.254.170.2",  # AWS ECS
        "169.254.170.23",  # AWS EKS
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # GCP
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure, a public address
        "192.0.0.192",  # Oracle
    )
)

# The special-purpose registries of IANA (RFC 6890 and its updates), written out because `ipaddress` differs between
# the Python versions we run on. The first that fits names the address.
_SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(text), kind)
    for text, kind in (
        ("0.0.0.0/32", "unspecified"),
        ("0.0.0.0/8", "this-network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "6to4"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "benchmark"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "v4-mapped"),
        ("::ffff:0:0:0/96", "v4-translated"),
        ("::/96", "v4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("100::/64", "discard"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "reserved"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")


def address_kind(address: Address, ranges: Iterable[Network] = ()) -> str:
    """Why ``address`` may not be dialled, in one word; empty when it may.

    An address that carries an IPv4 address inside (mapped, NAT64, 6to4) needs both to be in order: itself, which
    takes a range of the operator's, and the one inside.
    """
    opened = tuple(ranges)
    if address in _METADATA:
        exact = any(address in network and network.num_addresses == 1 for network in opened)
        return "" if exact else "metadata"
    inner = _inner(address)
    if inner is not None:
        kind = address_kind(inner, opened)
        if kind:
            return kind
    if any(address in network for network in opened):
        return ""
    for network, kind in _SPECIAL:
        if address in network:
            return kind
    return "reserved" if address.version == 6 and address not in _GLOBAL_V6 else ""


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None or address.sixtofour is not None:
        return address.ipv4_mapped or address.sixtofour
    packed = address.packed
    if packed.startswith(b"\x00\x64\xff\x9b") or packed[:12] == b"\x00" * 8 + b"\xff\xff\x00\x00":
        return ipaddress.IPv4Address(packed[12:])
    return None


class Dialer(httpcore2.AsyncNetworkBackend):
    """Opens one connection, to an address that was judged.

    Args:
        resolver: Turns the host's name into addresses.
        ranges: What the operator opened.
        own: Host and port pairs this server itself listens on; refused whatever the ranges say. ``0.0.0.0``, ``::``
            and names stand for every address of this machine.
        plugin: Whose connection it is.
    """

    def __init__(
        self,
        resolver: Resolver,
        ranges: Iterable[Network],
        own: Collection[tuple[str, int]] = (),
        *,
        plugin: str = "",
    ) -> None:
        self._plugin = plugin
        self._resolver = resolver
        self._ranges = tuple(ranges)
        self._own = own
        self._sockets = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())
        self._opened: list[httpcore2.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore2's
        *args: Any,
        **kwargs: Any,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, judge, connect; the addresses are tried in turn.

        Raises:
            HostRefusal: ``network_denied`` for an address nobody opened, ``http_failed`` for a name without one.
        """
        failure: Exception = httpcore2.ConnectError("no address")
        for address in await self._judged(host, port):
            try:
                stream = await self._sockets.connect_tcp(str(address), port, timeout)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                self._opened.append(stream)
                return stream
        raise failure

    async def aclose(self) -> None:
        """Close what was opened, also when a handshake was cut short, which httpcore2 leaves to the collector."""
        with anyio.CancelScope(shield=True):
            while self._opened:
                await self._opened.pop().aclose()

    async def _judged(self, host: str, port: int) -> list[Address]:
        if (host, port) in self._own:
            raise _refused(host, "own")
        addresses = [_parse(text) for text in await self._resolve(host, port)]
        for address in addresses:
            kind = "own" if self._is_own(address, port) else address_kind(address, self._ranges)
            if kind:
                raise _refused(host, kind, "" if kind == "own" else range_fix(self._plugin, str(address)))
        return addresses

    async def _resolve(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        try:
            found = await self._resolver(host, port)
        except (OSError, UnicodeError):
            found = ()
        if not found:
            raise HostRefusal("http_failed", f"the host {host} has no address", {"reason": "resolve"})
        return found

    def _is_own(self, address: Address, port: int) -> bool:
        dialled = _inner(address) or address
        for host, own_port in tuple(self._own):
            if own_port != port:
                continue
            try:
                own = ipaddress.ip_address(host)
            except ValueError:
                own = ipaddress.IPv4Address(0)  # a name may stand for any address of this machine
            # To dial the unspecified address is to dial this machine.
            if dialled == own or dialled.is_unspecified or (own.is_unspecified and _is_local(dialled)):
                return True
        return False


def _parse(text: str) -> Address:
    # A scoped address (fe80::1%eth0) is judged and dialled without its zone: there is no range for a zone.
    return ipaddress.ip_address(text.partition("%")[0])


def _is_local(address: Address) -> bool:
    """Whether ``address`` is one of this machine's; connecting a datagram socket sends nothing."""
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return probe.getsockname()[0] == str(address)
    except OSError:
        return False


def _refused(host: str, kind: str, fix: str = "") -> HostRefusal:
    told = "this server itself" if kind == "own" else f"a {kind} address, which the operator has not opened"
    return HostRefusal(
        "network_denied",
        f"the host {host} is {told}",
        {"capability": "NetworkAccess", "bound": "address", "kind": kind},
        fix=fix,
    )

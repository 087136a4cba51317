"""HOST:PORT: reading it, judging whether it stays on this machine, and opening the socket."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from mcp_server.errors import SettingsError

__all__ = ["DEFAULT_ADDRESS", "DEFAULT_PORT", "Address", "open_socket", "parse_address"]

DEFAULT_PORT = 8765
DEFAULT_ADDRESS = f"127.0.0.1:{DEFAULT_PORT}"
BACKLOG = 1_024
_FORM = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]*))(?::(?P<port>[0-9]{1,5}))?")
_EXAMPLE = f"write {DEFAULT_ADDRESS}, [::1]:{DEFAULT_PORT} or 0.0.0.0:{DEFAULT_PORT}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens.

    Attributes:
        host: An IP address, or ``localhost``.
        port: 0 for one that is free.
    """

    host: str
    port: int

    @property
    def authority(self) -> str:
        """As in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    @property
    def is_every(self) -> bool:
        """Whether it stands for all addresses of this machine."""
        return self.host != "localhost" and ipaddress.ip_address(self.host).is_unspecified


def parse_address(text: str) -> Address:
    """``HOST:PORT``, ``HOST``, ``:PORT`` or ``[V6]:PORT``.

    Raises:
        SettingsError: It is none of these, or names no address of a machine.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"--http {text}: is not HOST:PORT", fix=_EXAMPLE)
    host = match["v6"] or match["host"] or "127.0.0.1"
    port = int(match["port"] or DEFAULT_PORT)
    if port > 65_535:
        raise SettingsError(f"--http {text}: port {port} is above 65535", fix=_EXAMPLE)
    if host != "localhost":
        try:
            host = str(ipaddress.ip_address(host))
        except ValueError:
            raise SettingsError(f"--http {text}: '{host}' is no IP address and not localhost", fix=_EXAMPLE) from None
    return Address(host, port)


def open_socket(address: Address) -> tuple[socket.socket, Address]:
    """A listening socket, and the address with the port that it got.

    Raises:
        SettingsError: The address is taken, or is none of this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listening = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {address.authority}: {error.strerror}",
            fix="choose another port with --http HOST:PORT, or end what listens there",
        ) from None
    listening.setblocking(False)
    return listening, Address(address.host, listening.getsockname()[1])

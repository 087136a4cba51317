"""A URL as a plugin wrote it, taken apart once; what is dialled and sent is built from the parts, never parsed again.

Every spelling that another program could read differently is refused, not repaired.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import quote, unquote

import idna

from mcp_server.policy.network import PORTS, Address, NetworkDenied, Target

__all__ = ["parse_url"]

MAX_URL = 8_192
MAX_NAME = 253

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?(?:#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", re.DOTALL)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_LOWER = str.maketrans({chr(letter): chr(letter + 32) for letter in range(ord("A"), ord("Z") + 1)})


def parse_url(text: str) -> Target:
    """Take ``text`` apart, and refuse every spelling that another program could read differently.

    Raises:
        NetworkDenied: With the code ``invalid_url``.
    """
    if len(text) > MAX_URL:
        raise _invalid(f"it is longer than {MAX_URL} characters")
    for character in text:
        if character == "\\" or unicodedata.category(character)[0] in "CZ":
            raise _invalid(f"it holds the character U+{ord(character):04X}; percent-encode it")
    parts = _URL.fullmatch(text)
    if parts is None:
        raise _invalid("it must be absolute, like https://example.com/path")
    scheme = parts[1].lower()
    if scheme not in PORTS:
        raise _invalid(f"the scheme '{scheme:.20}' is none of https, http")
    host, address, port = _split_authority(parts[2], PORTS[scheme])
    path, query = _encoded(parts[3] or "/"), _encoded(parts[4] or "")
    return Target(scheme, host, port, path, query, address, _readings(path))


def _invalid(reason: str) -> NetworkDenied:
    return NetworkDenied("invalid_url", f"the URL is refused: {reason}")


def _split_authority(text: str, default: int) -> tuple[str, Address | None, int]:
    if "@" in text:
        raise _invalid("it holds a user name or password; send an Authorization header")
    parts = _AUTHORITY.fullmatch(text)
    if parts is None:
        raise _invalid("the host and port cannot be read")
    host, address = _host(parts[1])
    if parts[2] is None:
        return host, address, default
    if not re.fullmatch("[1-9][0-9]{0,4}", parts[2]) or int(parts[2]) > 65_535:
        raise _invalid("the port must be a number from 1 to 65535")
    return host, address, int(parts[2])


def _host(text: str) -> tuple[str, Address | None]:
    host = text.translate(_LOWER)
    if host.startswith("["):
        return _address(host[1:-1], ipaddress.IPv6Address)
    if not host.isascii():
        try:
            # Strict and without the UTS 46 mapping: full-width digits and the other dots are refused, not translated.
            host = idna.encode(host, strict=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise _invalid("the host is no IDNA name; write it in its ASCII (xn--) form") from None
    labels = host.split(".")
    # A last label that is a number makes an address of the whole (WHATWG URL, 3.5): 127.1, 0x7f.1, 2130706433.
    if re.fullmatch("[0-9]+|0x[0-9a-f]*", labels[-1]):
        return _address(host, ipaddress.IPv4Address)
    if len(host) > MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid("the host is no domain name (letters, digits and hyphens, no dot at the end)")
    for label in labels:
        if label[2:4] == "--":
            _check_ascii_form(label)
    return host, None


def _check_ascii_form(label: str) -> None:
    try:
        idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        raise _invalid(f"the label '{label}' of the host is no valid IDNA form") from None


def _address(text: str, kind: type[Address]) -> tuple[str, Address]:
    try:
        if "%" in text:
            raise ValueError("a zone")
        address = kind(text)
    except ValueError:
        raise _invalid("the host is an address in an odd spelling; write 192.0.2.1 or [2001:db8::1]") from None
    return address.compressed, address


def _encoded(text: str) -> str:
    if _BAD_PERCENT.search(text):
        raise _invalid("it holds a % that is followed by no two hexadecimal digits")
    return quote(text, safe="/?:@!$&'()*+,;=%~")


def _readings(path: str) -> frozenset[str]:
    readings, text = {path}, path
    for _ in range(3):
        decoded = unquote(text, errors="replace")
        if decoded == text:
            break
        text = decoded
        readings.add(text)
    else:
        raise _invalid("its path is percent-encoded more than twice")
    slashed = {reading.replace("\\", "/") for reading in readings}
    if any(_CONTROL.search(reading) for reading in readings):
        raise _invalid("its path holds an encoded control character")
    if any(segment.partition(";")[0] in {".", ".."} for reading in slashed for segment in reading.split("/")):
        raise _invalid("its path holds a '.' or '..' segment")
    return frozenset(readings | slashed | {re.sub("/+", "/", reading) for reading in slashed})

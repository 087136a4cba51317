"""The head of an HTTP/1.1 request as clients of MCP write it; every other form is somebody else's to read.

Stricter than HTTP on purpose (RFC 9110, RFC 9112): what could be read in two ways is not read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["MAX_BODY", "MAX_HEAD", "PREFIX", "Head", "Heads"]

PREFIX = b"POST /mcp HTTP/1.1\r\n"
MAX_HEAD = 8 * 1024
MAX_BODY = 64 * 1024
"""Longer ones arrive in many pieces; reading them is not what costs then."""
MOST = 512
"""Heads that are remembered: a client repeats its own to the byte."""
MAX_TOKEN = 16_384

# Name, colon, value without blanks around it: printable ASCII, on one line.
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?[ \t]*")
_JSON = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
_ACCEPTS = frozenset({"application/json,text/event-stream", "text/event-stream,application/json"})
_CLOSED = frozenset(
    {"transfer-encoding", "content-encoding", "expect", "upgrade", "origin", "te", "trailer", "cookie", "forwarded"}
)
"""Headers that change how a request is read or judged."""
_MCP = ("mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id")


@dataclass(frozen=True, slots=True)
class Head:
    """What a head says.

    Attributes:
        size: Its bytes, with the empty line.
        body: Bytes that follow it.
        host: The server's name, as it was asked for.
        token: The bearer token; empty for none.
        version: ``MCP-Protocol-Version``; empty for none, as the others below.
        method: ``Mcp-Method``.
        name: ``Mcp-Name``.
        session: ``Mcp-Session-Id``.
    """

    size: int
    body: int
    host: str
    token: str
    version: str
    method: str
    name: str
    session: str


class Heads:
    """Reads heads, and remembers them by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def read(self, data: bytes) -> Head | None:
        """The head that ``data`` begins with; None where it is not whole, or not of the one form."""
        end = data.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            return None
        text = data[: end + 4]
        head = self._known.get(text)
        if head is None:
            head = _read(text)
            if head is not None:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[text] = head
        return head


def _read(text: bytes) -> Head | None:
    if not text.startswith(PREFIX):
        return None
    fields: dict[str, str] = {}
    for line in text[len(PREFIX) : -4].split(b"\r\n"):
        matched = _LINE.fullmatch(line)
        if matched is None:
            return None
        name = matched[1].decode("ascii").lower()
        if name in fields or name in _CLOSED or (name.startswith("mcp-") and name not in _MCP):
            return None
        fields[name] = (matched[2] or b"").decode("ascii")
    return _head(len(text), fields)


def _head(size: int, fields: dict[str, str]) -> Head | None:
    length = fields.get("content-length", "")
    scheme, _, token = fields.get("authorization", "Bearer ").partition(" ")
    plain = (
        fields.get("content-type", "").lower() in _JSON
        and fields.get("accept", "").replace(" ", "").lower() in _ACCEPTS
        and fields.get("connection", "keep-alive").lower() == "keep-alive"
        and scheme.lower() == "bearer"
        and " " not in token
        and (bool(token) or "authorization" not in fields)
        and len(token) <= MAX_TOKEN
        and "host" in fields
        and length.isdigit()
        and len(length) <= len(str(MAX_BODY))
        and 0 < int(length) <= MAX_BODY
    )
    if not plain:
        return None
    version, method, name, session = (fields.get(key, "") for key in _MCP)
    return Head(size, int(length), fields["host"], token, version, method, name, session)

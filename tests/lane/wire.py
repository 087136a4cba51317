"""Bytes to a server and its answer in a form that two servers can be compared by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import SocketStream

from tests.http_server import ACCEPT, HttpServer

__all__ = ["Recorded", "Reply", "Sending", "converse", "exchange"]

_COMPARED = ("content-type", "www-authenticate", "retry-after", "allow", "connection")
_VOLATILE = re.compile(r"\b[0-9a-f]{32}\b|\bc\d+\b|request \w+|127\.0\.0\.1:\d+")
"""Ids that each server counts for itself, and its address."""


@dataclass(frozen=True)
class Reply:
    """An answer without what differs between two servers that say the same.

    Attributes:
        status: Of HTTP.
        headers: Those that mean something.
        body: JSON values: of the body, or of each event of a stream; the text where it is neither.
        session: The id of the session that it names, which differs.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    session: str = field(default="", compare=False)


@dataclass(frozen=True)
class Sending:
    """A request that is written for each server anew.

    Attributes:
        body: Its bytes.
        headers: By name; an empty value leaves one of the usual headers out.
        line: The first line.
        more: Header lines as they are, which may be none that a client library would send.
        pieces: Where the bytes are cut; each piece is sent when the one before it must have arrived.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    line: str = "POST /mcp HTTP/1.1"
    more: str = ""
    pieces: tuple[int, ...] = ()

    def written(self, host: str, token: str) -> bytes:
        """The bytes for a server."""
        usual = {
            "Host": host,
            "Authorization": f"Bearer {token}",
            "Accept": ACCEPT,
            "Content-Type": "application/json",
            "Content-Length": str(len(self.body)),
        }
        lines = [f"{name}: {value}\r\n" for name, value in {**usual, **self.headers}.items() if value]
        return f"{self.line}\r\n{''.join(lines)}{self.more}\r\n".encode("latin-1") + self.body


@dataclass(frozen=True)
class Recorded:
    """A request as a client wrote it.

    Attributes:
        head: With ``{host}``, ``{token}`` and ``{session}`` where they were.
        body: Its text.
    """

    head: str
    body: str

    def written(self, host: str, token: str, session: str) -> bytes:
        """The bytes for a server."""
        head = self.head.replace("{host}", host).replace("{token}", token).replace("{session}", session)
        return head.encode("latin-1") + self.body.encode()


async def exchange(server: HttpServer, *sendings: Sending) -> list[Reply]:
    """Send requests over one connection and read as many answers, or until the server closes it."""
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        data = b"".join(sending.written(f"127.0.0.1:{server.port}", server.token) for sending in sendings)
        for piece in _cut(data, sendings[0].pieces):
            await stream.send(piece)
            await anyio.wait_all_tasks_blocked()
        return await _read(stream, len(sendings))


async def converse(server: HttpServer, requests: Sequence[Recorded]) -> list[Reply]:
    """Send recorded requests over one connection, each when the one before it was answered."""
    replies: list[Reply] = []
    session = ""
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        for request in requests:
            await stream.send(request.written(f"127.0.0.1:{server.port}", server.token, session))
            replies += await _read(stream, 1)
            session = replies[-1].session or session
    return replies


def _cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *places, len(data)]
    return [data[start:end] for start, end in zip(edges, edges[1:], strict=False)]


async def _read(stream: SocketStream, count: int) -> list[Reply]:
    got, replies = b"", list[Reply]()
    with anyio.fail_after(60):
        while len(replies) < count:
            found = _first(got)
            if found is not None:
                reply, size = found
                replies.append(reply)
                got = got[size:]
                continue
            try:
                got += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                break
    return replies


def _first(data: bytes) -> tuple[Reply, int] | None:
    """The first whole answer in ``data``, and its bytes."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    rest = data[end + 4 :]
    if headers.get("transfer-encoding") == "chunked":
        last = rest.find(b"0\r\n\r\n")
        if last < 0:
            return None
        body, size = _joined(rest[:last]), end + 4 + last + 5
    else:
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        body, size = rest[:length], end + 4 + length
    kept = {name: _plain(headers[name]) for name in _COMPARED if name in headers}
    kept["session"] = str("mcp-session-id" in headers)
    return Reply(int(first.split(" ")[1]), kept, _canonical(body), headers.get("mcp-session-id", "")), size


def _joined(chunked: bytes) -> bytes:
    body = b""
    while chunked:
        length, _, chunked = chunked.partition(b"\r\n")
        size = int(length, 16)
        body, chunked = body + chunked[:size], chunked[size + 2 :]
    return body


def _canonical(body: bytes) -> Any:
    text = body.decode("utf-8")
    if "data: " in text:
        return [json.loads(_plain(line[6:])) for line in text.split("\r\n") if line.startswith("data: {")]
    try:
        return json.loads(_plain(text))
    except ValueError:
        return text


def _plain(text: str) -> str:
    return _VOLATILE.sub("…", text)

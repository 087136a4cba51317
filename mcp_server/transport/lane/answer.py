"""What the lane answers, and the bytes of it on an HTTP/1.1 connection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcp_server.transport.lane.message import error_message, result_message

__all__ = ["Answer", "error", "success"]

_REASONS = {200: b"OK", 500: b"Internal Server Error"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One JSON body.

    Attributes:
        body: Its bytes.
        status: Of HTTP.
        session: The session of a handshake era; empty for none.
    """

    body: bytes
    status: int = 200
    session: str = ""

    def response(self, headers: Iterable[tuple[bytes, bytes]], *, last: bool) -> bytes:
        """Head and body; ``last`` where the connection ends with it."""
        lines = [b"HTTP/1.1 %d %b" % (self.status, _REASONS[self.status])]
        lines += [b"%b: %b" % header for header in headers]
        lines.append(b"content-length: %d\r\ncontent-type: application/json" % len(self.body))
        if self.session:
            lines.append(b"mcp-session-id: " + self.session.encode("ascii"))
        if last:
            lines.append(b"connection: close")
        lines += [b"", self.body]
        return b"\r\n".join(lines)


def success(request: str | int, result: bytes, session: str = "") -> Answer:
    """The answer to a request, from the JSON of its result."""
    return Answer(result_message(request, result), session=session)


def error(request: str | int | None, code: int, message: str, *, status: int, session: str) -> Answer:
    """A JSON-RPC error."""
    return Answer(error_message(request, code, message), status, session)

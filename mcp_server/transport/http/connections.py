"""The guard of the wire: connections are counted, and one whose client is slow, on either way, is closed.

uvicorn has no timer for headers, none for a client that reads nothing, and drains a refused body for ever.
"""

from __future__ import annotations

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["GuardedProtocol", "guarded_protocol"]

_FULL = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class GuardedProtocol(H11Protocol):
    """uvicorn's protocol with two more timers; asyncio, because a protocol is called by the event loop itself."""

    header_seconds = 10.0
    write_seconds = 30.0
    most = 1_000

    _headers_due: asyncio.TimerHandle | None = None
    _write_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does this for sockets that it opened itself; without it head and body are 40 ms apart.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
            return
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._between_requests():
            self._await_headers()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_due is None:
            self._write_due = self.loop.call_later(self.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_due is not None:
            self._write_due.cancel()
            self._write_due = None

    def _between_requests(self) -> bool:
        """Whether bytes arrive that belong to no request that is being answered: headers, or a refused body's rest."""
        cycle = self.cycle
        answered = cycle is None or cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]  # None first
        return answered and self.timeout_keep_alive_task is None

    def _await_headers(self) -> None:
        if self._headers_due is None:
            self._headers_due = self.loop.call_later(self.header_seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _too_slow(self) -> None:
        self._headers_due = None
        if self.transport.is_closing() or not self._between_requests():
            return
        if self.cycle is None:  # pyright: ignore[reportUnnecessaryComparison]  # it is, before the first request
            self.transport.write(_SLOW)
        self.transport.close()


def guarded_protocol(*, header_seconds: float, write_seconds: float, most: int) -> type[GuardedProtocol]:
    """A protocol class for uvicorn.

    Args:
        header_seconds: From the start of a connection, or the first byte of a request, to the end of its headers.
        write_seconds: How long a client may take nothing of what is sent to it.
        most: Connections at one time.
    """
    limits = {"header_seconds": header_seconds, "write_seconds": write_seconds, "most": most}
    return type("LimitedProtocol", (GuardedProtocol,), limits)

"""The worker's end of the channel: frames in, frames out, a send lock. Knows nothing about calls."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from mcp_server.worker.frames import FrameReader

__all__ = ["ChannelClosed", "Frame", "Link"]

RECEIVE = 262_144
FLUSH_AT = 65_536
MAX_FROM_PARENT = 80 * 1024 * 1024  # the largest module allowed, and its load order

Frame = tuple[int, int, int, int, bytes]
"""Kind, status, aux, id, payload."""


class ChannelClosed(Exception):
    """The parent is gone; there is nobody to work for."""


class Link:
    """Reading and :meth:`queue` belong to the thread that leads; :meth:`send` to any.

    Args:
        channel: Connected and blocking.

    Attributes:
        before_waiting: Called when there is nothing to read, after what was queued is sent.
    """

    def __init__(self, channel: socket.socket) -> None:
        self.before_waiting: Callable[[], None] = _nothing
        self._channel = channel
        self._reader = FrameReader(MAX_FROM_PARENT)
        self._unread: Frame | None = None
        self._queued: list[bytes] = []
        self._queued_size = 0
        self._sending = threading.Lock()

    def next(self) -> Frame:
        """The next frame, waiting for it.

        Raises:
            ChannelClosed: The parent closed its end.
            FrameError: The bytes are no frames.
        """
        if self._unread is not None:
            frame, self._unread = self._unread, None
            return frame
        while True:
            frame = self._reader.next()
            if frame is not None:
                return frame
            self.flush()
            self.before_waiting()
            data = self._channel.recv(RECEIVE)
            if not data:
                raise ChannelClosed
            self._reader.feed(data)

    def put_back(self, frame: Frame) -> None:
        """Let the next reader have ``frame``."""
        self._unread = frame

    def queue(self, data: bytes) -> None:
        """Send with the next flush: answers of short calls share one system call."""
        self._queued.append(data)
        self._queued_size += len(data)
        if self._queued_size > FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Send what was queued."""
        if self._queued:
            data = self._queued[0] if len(self._queued) == 1 else b"".join(self._queued)
            self._queued.clear()
            self._queued_size = 0
            self.send(data)

    def send(self, data: bytes) -> None:
        """Send now."""
        with self._sending:
            self._channel.sendall(data)


def _nothing() -> None:
    """The default: just wait."""

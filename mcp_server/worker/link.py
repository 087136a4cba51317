"""The worker's end of the channel: frames in, frames out, a send lock. Knows nothing about calls."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable

from mcp_server.worker.frames import FrameReader, Kind

__all__ = ["ChannelClosed", "Frame", "Link"]

RECEIVE = 262_144
FLUSH_AT = 65_536
FLUSH_COUNT = 16
"""Queued answers that are sent though more calls wait: the parent then works on them meanwhile, instead of in turns.

With 100 calls in flight that is the step from 44 000 to 64 000 calls a second (two cores); 8 and 32 are a little less.
"""
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
        cancelled: Called with the id of a CANCEL frame as soon as it is seen, before the frames it came behind.
    """

    def __init__(self, channel: socket.socket) -> None:
        self.before_waiting: Callable[[], None] = _nothing
        self.cancelled: Callable[[int], None] = _ignore
        self._channel = channel
        self._reader = FrameReader(MAX_FROM_PARENT)
        self._unread: deque[Frame] = deque()
        self._queued: list[bytes] = []
        self._queued_size = 0
        self._sending = threading.Lock()

    def next(self) -> Frame:
        """The next frame, waiting for it.

        Raises:
            ChannelClosed: The parent closed its end.
            FrameError: The bytes are no frames.
        """
        while not self._unread:
            self.flush()
            self.before_waiting()
            self._take(self._channel.recv(RECEIVE))
        return self._unread.popleft()

    def put_back(self, frame: Frame) -> None:
        """Let the next reader have ``frame``."""
        self._unread.appendleft(frame)

    def take_over(self) -> None:
        """Begin to lead: send what the last leader left queued, take what has come, without waiting for more.

        Neither an answer nor a CANCEL may wait behind calls that were read and that nobody began: under a storm of
        cancelled calls, an answer that did looked to the parent like a guest that cannot be stopped.
        """
        self.flush()
        with contextlib.suppress(BlockingIOError):
            self._take(self._channel.recv(RECEIVE, socket.MSG_DONTWAIT))

    def withdraw(self, call_id: int) -> bool:
        """Drop the CALL or MANY frame of a call that was read and not begun; False when there is none."""
        for frame in self._unread:
            if frame[3] == call_id and frame[0] in (Kind.CALL, Kind.MANY):
                self._unread.remove(frame)
                return True
        return False

    def queue(self, data: bytes) -> None:
        """Send with the next flush: answers of short calls share one system call."""
        self._queued.append(data)
        self._queued_size += len(data)
        if self._queued_size > FLUSH_AT or len(self._queued) >= FLUSH_COUNT:
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

    def _take(self, data: bytes) -> None:
        if not data:
            raise ChannelClosed
        self._reader.feed(data)
        while (frame := self._reader.next()) is not None:
            self._unread.append(frame)
            if frame[0] == Kind.CANCEL:
                self.cancelled(frame[3])


def _nothing() -> None:
    """The default: just wait."""


def _ignore(call_id: int) -> None:
    """The default: the frame itself comes later."""

"""A connection whose whole requests go to the lane first; every byte that it does not answer goes to uvicorn.

asyncio, because a protocol is called by the event loop itself.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

import h11

from mcp_server.transport.http.connections import GuardedProtocol
from mcp_server.transport.lane.answer import Answer
from mcp_server.transport.lane.head import PREFIX, Head, Heads

__all__ = ["Lane", "lane_protocol"]

logger = logging.getLogger(__name__)

HOLD_SECONDS = 0.05
"""How long the pieces of a request are waited for, before uvicorn and its timers get those that came."""


class Lane(Protocol):
    """Answers requests, or leaves them."""

    async def answer(self, head: Head, body: bytes) -> Answer | None:
        """The answer to a request; None where it is somebody else's to answer."""
        ...


class _LaneProtocol(GuardedProtocol):
    lane: Lane
    heads: Heads

    _held = b""
    _held_due: asyncio.TimerHandle | None = None
    _exchange: asyncio.Task[None] | None = None
    _idle_due: asyncio.TimerHandle | None = None
    _idle_since = 0.0
    _closing = False
    _lasting = False  # a call in a session goes on when its client hangs up, as the handshake eras have it

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._held += data  # the next request, early; how much of it, asyncio's flow control decides
            self.flow.pause_reading()
            return
        if self._held:
            data, self._held = self._held + data, b""
        if self._is_idle() and data.startswith(PREFIX[: len(data)]) and self._take(data):
            return
        self._let_go()
        self._stop_idling()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        self._stop_idling()
        if self._exchange is not None and not self._lasting:
            self._exchange.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self._exchange is None:
            super().shutdown()
        self._closing = True

    def _is_idle(self) -> bool:
        """Whether uvicorn's reader is between two requests, so that what comes is the beginning of one."""
        conn = self.conn
        return conn.their_state is h11.IDLE and conn.our_state is h11.IDLE and conn.trailing_data == (b"", False)

    def _take(self, data: bytes) -> bool:
        """Whether ``data`` is the lane's for now: a whole request, or the first part of one."""
        head = self.heads.read(data)
        if head is None:
            return False
        missing = head.size + head.body - len(data)
        if missing < 0:
            return False
        self._unset_keepalive_if_required()
        if missing:
            self._held = data
            if self._held_due is None:
                self._held_due = self.loop.call_later(HOLD_SECONDS, self._give_up)
            return True
        self._let_go()
        self._stop_waiting()
        self._lasting = bool(head.session)
        task = self._exchange = self.loop.create_task(self._answer(head, data))
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("a request was not answered", exc_info=error)
            self.transport.abort()

    def _idle(self) -> None:
        """An answer is out: the next request has the time of a connection that is kept alive.

        One timer that looks again, and not one for each answer: those cost 6 µs each (see runtime/deadlines.py).
        """
        self._idle_since = self.loop.time()
        if self._idle_due is None:
            self._idle_due = self.loop.call_later(self.timeout_keep_alive, self._look_idle)

    def _look_idle(self) -> None:
        self._idle_due = None
        if self._exchange is not None or self._held:
            return  # the answer begins anew
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_due = self.loop.call_later(left, self._look_idle)
        else:
            self.timeout_keep_alive_handler()

    def _stop_idling(self) -> None:
        if self._idle_due is not None:
            self._idle_due.cancel()
            self._idle_due = None

    def _let_go(self) -> None:
        if self._held_due is not None:
            self._held_due.cancel()
            self._held_due = None

    def _give_up(self) -> None:
        self._held_due = None
        self._stop_idling()
        data, self._held = self._held, b""
        super().data_received(data)

    async def _answer(self, head: Head, data: bytes) -> None:
        try:
            answer = await self.lane.answer(head, data[head.size :])
        finally:
            self._exchange = None
        if self.transport.is_closing():
            return
        if answer is None:
            self._stop_idling()
            super().data_received(data)
        else:
            self._write(answer)
        if self._held and not self.transport.is_closing():
            held, self._held = self._held, b""
            self.flow.resume_reading()
            self.data_received(held)

    def _write(self, answer: Answer) -> None:
        self.transport.write(answer.response(self.server_state.default_headers, last=self._closing))
        self.server_state.total_requests += 1
        if self._closing:
            self.transport.close()
        elif not self._held:
            self._idle()


def lane_protocol(guarded: type[GuardedProtocol], lane: Lane) -> type[GuardedProtocol]:
    """``guarded`` with ``lane`` before it."""
    return type("LaneProtocol", (_LaneProtocol, guarded), {"lane": lane, "heads": Heads()})

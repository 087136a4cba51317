"""What one running call holds. Given back when its guest has stopped, not when its caller has left."""

from __future__ import annotations

import time

import anyio

from mcp_server.runtime.channel import Pending
from mcp_server.runtime.deadlines import Deadlines
from mcp_server.runtime.sessions import Session
from mcp_server.runtime.turnstile import Turnstile
from mcp_server.runtime.worker import Worker

__all__ = ["Hold"]


class Hold:
    """What one call holds, given back once: its slot, and the turn in its session's instance."""

    __slots__ = ("_slots", "_turn", "worker")

    worker: Worker

    def __init__(self, slots: Turnstile) -> None:
        self._slots = slots
        self._turn: anyio.Semaphore | None = None

    async def take_turn(self, session: Session, payload: bytes) -> bytes:
        """Wait until the session's instance is free; the payload for it. Gives all back where that comes to nothing."""
        try:
            await session.turn.acquire()
        except BaseException:
            self.give_back()
            raise
        self._turn = session.turn
        return session.key.to_bytes(8, "little") + payload

    def give_back(self) -> None:
        """The call is over, or was never begun; called once."""
        self._slots.leave()
        if self._turn is not None:
            self._turn.release()

    def ended(self, pending: Pending) -> None:
        """The worker is done with the call: the guest has really stopped, and what it asked of the host with it."""
        pending.context.end()
        self.worker.in_flight -= 1
        self.worker.last_used = time.monotonic()
        Deadlines.remove(pending)
        self.give_back()

    def expired(self, pending: Pending) -> None:
        """The call's time is over."""
        self.worker.stop_call(pending, "execution_time")

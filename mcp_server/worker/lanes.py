"""The lanes of one worker: which one runs the next call, which belong to sessions, which has a spare instance."""

from __future__ import annotations

from mcp_server.worker.frames import Mode
from mcp_server.worker.guest import engine_manifest
from mcp_server.worker.lane import Ask, Lane
from mcp_server.worker.order import LoadOrder

__all__ = ["Lanes"]

MAX_SESSIONS = 64
SESSION = int(Mode.SESSION)
_KEY_SIZE = 8


class Lanes:
    """Lanes are made when all others are busy, and stay: each costs 0.3 MB for a small module.

    Taking and making spares is for the thread that leads; giving back for any.

    Args:
        order: What is loaded.
        wasm: The module.
        ask: Answers host calls.

    Raises:
        GuestStop: The engine refused the module, or it cannot be started.
    """

    def __init__(self, order: LoadOrder, wasm: bytes, ask: Ask) -> None:
        self._order = order
        self._manifest = engine_manifest(order, wasm)
        self._ask = ask
        self._idle: list[Lane] = []
        self._sessions: dict[int, Lane] = {}

    def prove(self) -> None:
        """Compile and make one instance, so that a module that cannot start fails its load.

        Raises:
            GuestStop: With the reason.
        """
        lane = self._new()
        lane.prove()
        self._idle.append(lane)

    def take(self, mode: int, payload: bytes) -> tuple[Lane, bytes]:
        """A lane for one call, and its input; a SESSION payload starts with the session's key.

        Raises:
            GuestStop: A new lane was needed and could not be made.
        """
        if mode == SESSION:
            return self._of_session(int.from_bytes(payload[:_KEY_SIZE], "little")), payload[_KEY_SIZE:]
        try:
            return self._idle.pop(), payload
        except IndexError:
            return self._new(), payload

    def give(self, lane: Lane, mode: int) -> None:
        """The call is over; a session's lane stays the session's.

        A lane whose call was stopped is not used again. libextism's timer thread delivers a cancel some time after
        it was asked to, to the whole engine: a late one would stop the lane's next, innocent call.
        """
        if lane.stopped:
            self._sessions = {key: other for key, other in self._sessions.items() if other is not lane}
            lane.close()
        elif mode != SESSION:
            self._idle.append(lane)

    def forget(self, session: int) -> None:
        """Free the instance of an ended session."""
        lane = self._sessions.get(session)
        if lane is not None and lane.call_id is None:
            del self._sessions[session]
            lane.close()

    def make_spare(self) -> None:
        """Make the instance of the next call while nothing else is to be done."""
        if self._idle:
            self._idle[-1].make_spare()

    def depart(self) -> None:
        """Let kept instances run their ``stop``; nobody calls any more."""
        if "stop" in self._order.lifecycle:
            for lane in [*self._idle, *self._sessions.values()]:
                if lane.call_id is None:
                    lane.close()

    def _new(self) -> Lane:
        return Lane(self._order, self._manifest, self._ask)

    def _of_session(self, key: int) -> Lane:
        lane = self._sessions.pop(key, None) or self._new()
        self._sessions[key] = lane  # last used, last evicted
        if len(self._sessions) > MAX_SESSIONS:
            oldest = next((other for other, kept in self._sessions.items() if kept.call_id is None), key)
            if oldest != key:
                self.forget(oldest)
        return lane

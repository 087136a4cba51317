"""What has just happened in a server, for whoever listens now: a short memory of events, and a line to each listener.

Not a record: nothing is kept beyond the last few hundred events, and a listener that is slow loses some and is told.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

__all__ = ["KEPT", "Event", "EventHub", "Hub", "Line", "Listening"]

KEPT = 256
"""Events that are remembered for a listener that comes back."""
LINE = 256
"""Events that wait for one listener."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        number: From 1, without gaps.
        kind: A word.
        about: A JSON object, or a value that whoever listens knows how to show.
        at: Seconds since the epoch.
    """

    number: int
    kind: str
    about: Any
    at: float


class Line(Protocol):
    """What a listener has."""

    @property
    def events(self) -> AsyncIterable[Event]:
        """What comes."""
        ...

    def lost(self) -> int:
        """How many events it has missed since the last question."""
        ...


class Hub(Protocol):
    """Takes events and hands them to all listeners: of one process, or of several that serve as one."""

    def tell(self, kind: str, about: Any) -> None:
        """Something happened."""
        ...

    def kept(self) -> Sequence[Event]:
        """The last events, the oldest first."""
        ...

    def listening(self, after: int | None = None) -> AbstractContextManager[Line]:
        """The line of a listener; with ``after``, events that are still kept and came after that one stand in it."""
        ...


class Listening:
    """One listener's line.

    Attributes:
        events: What comes.
        lost: How many did not fit into the line since this was last asked.
    """

    def __init__(self) -> None:
        self._send: MemoryObjectSendStream[Event]
        self.events: MemoryObjectReceiveStream[Event]
        self._send, self.events = anyio.create_memory_object_stream[Event](LINE)
        self._lost = 0

    def take(self, event: Event) -> None:
        """Put ``event`` into the line, or count it."""
        try:
            self._send.send_nowait(event)
        except anyio.WouldBlock:
            self._lost += 1

    def lost(self) -> int:
        """How many events did not fit since the last question."""
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> None:
        """Let both ends go."""
        self._send.close()
        self.events.close()


class EventHub:
    """Takes events from the loop's own thread and hands them to all listeners."""

    def __init__(self) -> None:
        self._last = 0
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._listeners: set[Listening] = set()

    def tell(self, kind: str, about: Any) -> None:
        """Something happened."""
        self._last += 1
        event = Event(self._last, kind, about, time.time())
        self._kept.append(event)
        for listener in self._listeners:
            listener.take(event)

    def kept(self) -> Sequence[Event]:
        """The last events, the oldest first."""
        return tuple(self._kept)

    @contextmanager
    def listening(self, after: int | None = None) -> Generator[Listening]:
        """The line of a listener; with ``after``, events that are still kept and came after that one stand in it."""
        line = Listening()
        for event in self._kept if after is not None else ():
            if after is not None and event.number > after:
                line.take(event)
        self._listeners.add(line)
        try:
            yield line
        finally:
            self._listeners.discard(line)
            line.close()

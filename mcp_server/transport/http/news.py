"""What happens in any of several processes, told to whoever listens at one of them: a ring in their common memory.

The short memory of :class:`~mcp_server.telemetry.events.EventHub`, with one numbering for all processes. Calls are put
into it only while somebody has listened lately, so that they cost nothing where nobody looks.
"""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import anyio

from mcp_server.telemetry.calls import CallRecord
from mcp_server.telemetry.events import KEPT, Event
from mcp_server.transport.http.common import NEWS_AT, NEWS_BYTES, Common

__all__ = ["CommonNews"]

_HEAD = struct.Struct("=Qd")
_SLOT = struct.Struct("=QL")
_SLOTS_AT = NEWS_AT + _HEAD.size
_SLOT_BYTES = (NEWS_BYTES - _HEAD.size) // KEPT
_MOST = _SLOT_BYTES - _SLOT.size
_CUTS = (200, 50, 12)
"""Characters that texts of an event too long for its slot are cut to, in turn."""
LOOK_SECONDS = 0.1
LATELY_SECONDS = 60.0
"""How long after the last listener calls are still kept, for one that comes back."""


class CommonNews:
    """See :class:`~mcp_server.telemetry.events.Hub`.

    Args:
        common: Holds the ring.
        clock: Seconds that only grow, the same for all processes.
    """

    def __init__(self, common: Common, clock: Callable[[], float] = time.monotonic) -> None:
        self._common, self._clock = common, clock

    def tell(self, kind: str, about: Any) -> None:
        """Something happened here."""
        if isinstance(about, CallRecord):
            if self._head()[1] < self._clock():
                return
            about = asdict(about)
        row = {"kind": kind, "at": time.time(), "about": {**about, "process": os.getpid()}}
        text = _fitting(row)
        with self._common.locked(NEWS_AT):
            last, wanted = self._head()
            at = _place(last + 1)
            self._common.memory[at + _SLOT.size : at + _SLOT.size + len(text)] = text
            _SLOT.pack_into(self._common.memory, at, last + 1, len(text))
            _HEAD.pack_into(self._common.memory, NEWS_AT, last + 1, wanted)

    def kept(self) -> list[Event]:
        """The last events of all processes, the oldest first."""
        self.want()
        return self.since(0)

    @contextmanager
    def listening(self, after: int | None = None) -> Generator[_Line]:
        """The line of a listener; with ``after``, what is still kept and came after that stands in it."""
        self.want()
        last = self._head()[0]
        yield _Line(self, last if after is None else min(after, last))

    def want(self) -> None:
        """Have calls told from now on, for a while."""
        with self._common.locked(NEWS_AT):
            _HEAD.pack_into(self._common.memory, NEWS_AT, self._head()[0], self._clock() + LATELY_SECONDS)

    def since(self, number: int) -> list[Event]:
        """What is kept and came after ``number``, in order."""
        if self._head()[0] <= number:
            return []
        with self._common.locked(NEWS_AT):
            last = self._head()[0]
            return [self._read(each) for each in range(max(number, last - KEPT) + 1, last + 1)]

    def _head(self) -> tuple[int, float]:
        """The number of the last event, and until when calls are wanted."""
        return _HEAD.unpack_from(self._common.memory, NEWS_AT)

    def _read(self, number: int) -> Event:
        at = _place(number)
        _, length = _SLOT.unpack_from(self._common.memory, at)
        row = json.loads(self._common.memory[at + _SLOT.size : at + _SLOT.size + length])
        return Event(number, row["kind"], row["about"], row["at"])


class _Line:
    """One listener's line; it looks at the ring, so nothing waits for a slow one."""

    def __init__(self, news: CommonNews, after: int) -> None:
        self._news, self._at, self._lost = news, after, 0

    @property
    async def events(self) -> AsyncGenerator[Event]:
        """What comes."""
        while True:
            self._news.want()
            for event in self._news.since(self._at):
                self._lost += event.number - self._at - 1
                self._at = event.number
                yield event
            await anyio.sleep(LOOK_SECONDS)

    def lost(self) -> int:
        """How many events were overwritten since the last question before this line saw them."""
        lost, self._lost = self._lost, 0
        return lost


def _place(number: int) -> int:
    return _SLOTS_AT + number % KEPT * _SLOT_BYTES


def _fitting(row: dict[str, Any]) -> bytes:
    """``row`` as JSON, with texts cut where it would not fit into a slot."""
    text = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")
    for most in _CUTS:
        if len(text) <= _MOST:
            break
        about = {key: value[:most] if isinstance(value, str) else value for key, value in row["about"].items()}
        text = json.dumps({**row, "about": about}, ensure_ascii=False).encode("utf-8", "replace")
    return text

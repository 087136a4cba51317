"""The figures of several processes as those of one server: whoever is asked has the others write theirs, and adds.

They lie in the common file behind what is mapped, compressed, and nothing is written while nobody asks. A process that
takes the place of a dead one goes on from what that one had shown, so that no counter goes back.
"""

from __future__ import annotations

import json
import logging
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from fcntl import LOCK_EX, LOCK_NB, lockf

import anyio

from mcp_server.telemetry.metrics.joining import Figures, counted, from_json, joined, to_json
from mcp_server.transport.http.common import ASKED_AT, FIGURES_AT, Common

__all__ = ["CommonFigures"]

logger = logging.getLogger(__name__)

MOST_PROCESSES = 128
LOOK_SECONDS = 0.1
"""How often a process looks whether it is asked."""
ANSWER_SECONDS = 2.0
"""How long the others are waited for; of one that does not answer, what it had counted before stands."""
_NUMBER = struct.Struct("=Q")
_HEAD = struct.Struct("=QL")
_PLACE_BYTES = 4 * 1024 * 1024
"""Of the file's length; only what is written takes room on the disk."""
_HELD, _WRITTEN = 0, 1
"""Bytes of a place whose locks say that it is taken, and that it is being written or read."""


class CommonFigures:
    """One process's place among those of all.

    Args:
        common: Holds them; the place that is taken here is free again when this process ends.

    Raises:
        OSError: Every place is taken.
    """

    def __init__(self, common: Common) -> None:
        self._common = common
        self._at = self._take_place()
        self._before = counted(self._read(self._at)[1])
        self._answered = 0
        self._write({})

    async def follow(self, read: Callable[[], Figures]) -> None:
        """Write what ``read`` gives whenever another process asks, until cancelled."""
        while True:
            asked = self._asked()
            if asked != self._answered:
                self._answered = asked
                self._write(read())
            await anyio.sleep(LOOK_SECONDS)

    async def join(self, own: Figures) -> Figures:
        """``own``, as of now, with those of the other processes."""
        with self._common.locked(ASKED_AT):
            self._answered = asked = self._asked() + 1
            _NUMBER.pack_into(self._common.memory, ASKED_AT, asked)
        self._write(own)
        others = [at for at in self._places() if at != self._at]
        with anyio.move_on_after(ANSWER_SECONDS):
            while any(self._head(at)[0] < asked for at in others):  # noqa: ASYNC110  # other processes set no event
                await anyio.sleep(LOOK_SECONDS / 4)
        theirs: list[Figures] = [self._before]
        for at in others:
            answered, figures = self._read(at)
            theirs.append(figures if answered >= asked else counted(figures))
        return joined(own, theirs)

    def _asked(self) -> int:
        return _NUMBER.unpack_from(self._common.memory, ASKED_AT)[0]

    def _take_place(self) -> int:
        for at in _PLACES:
            try:
                lockf(self._common.descriptor, LOCK_EX | LOCK_NB, 1, at + _HELD)
            except OSError:
                continue
            return at
        raise OSError(f"more than {MOST_PROCESSES} processes share one socket")

    def _places(self) -> Sequence[int]:
        """Those that were ever taken; they are taken in order."""
        used = next((index for index, at in enumerate(_PLACES) if not self._head(at)[1]), MOST_PROCESSES)
        return _PLACES[:used]

    def _head(self, at: int) -> tuple[int, int]:
        found = os.pread(self._common.descriptor, _HEAD.size, at)
        return _HEAD.unpack(found) if len(found) == _HEAD.size else (0, 0)

    def _read(self, at: int) -> tuple[int, Figures]:
        with self._common.locked(at + _WRITTEN):
            answered, length = self._head(at)
            text = os.pread(self._common.descriptor, length, at + _HEAD.size)
        try:
            return answered, from_json(json.loads(zlib.decompress(text)))
        except (zlib.error, ValueError):  # nobody was here yet, or was killed while it wrote
            return 0, {}

    def _write(self, figures: Figures) -> None:
        """These, and what was counted in this place before."""
        text = zlib.compress(json.dumps(to_json(joined(figures, [self._before]))).encode(), 1)
        if len(text) > _PLACE_BYTES - _HEAD.size:
            logger.warning("the figures of this process are too many to be told to the others")
            return
        try:
            with self._common.locked(self._at + _WRITTEN):
                os.pwrite(self._common.descriptor, _HEAD.pack(self._answered, len(text)) + text, self._at)
        except OSError as error:
            logger.warning("the figures of this process cannot be told to the others: %s", error)


_PLACES = range(FIGURES_AT, FIGURES_AT + MOST_PROCESSES * _PLACE_BYTES, _PLACE_BYTES)

"""The board of several processes: what one was told about a plugin and all have to do, in the order it was told.

A number counts what was put there; a process that has seen a lower one reads on. Only the last word on each plugin is
kept, so a process that starts later does the same as those that were there. What is on disk is not repeated here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

from mcp_server.errors import LifecycleError
from mcp_server.transport.http.common import BOARD_AT, BOARD_BYTES, Common

__all__ = ["CommonBoard"]

_HEAD = struct.Struct("=QL")
_TEXT_AT = BOARD_AT + _HEAD.size
_MOST = BOARD_BYTES - _HEAD.size
_LASTING = "stop"
"""The verb that a process which starts later must know."""


class CommonBoard:
    """See :class:`~mcp_server.siblings.Board`.

    Args:
        common: Holds it.
    """

    def __init__(self, common: Common) -> None:
        self._common = common

    def number(self) -> int:
        """How much was put there; read without a lock, with every request."""
        return _HEAD.unpack_from(self._common.memory, BOARD_AT)[0]

    def put(self, plugin: str, verb: str) -> tuple[int, int]:
        """Put ``verb`` there for ``plugin``: the number before, and the one now.

        Raises:
            LifecycleError: More plugins are stopped than the board has room for.
        """
        with self._common.locked(BOARD_AT):
            before, words = self._read()
            words.pop(plugin, None)
            words[plugin] = (before + 1, verb)
            self._write(before + 1, words)
        return before, before + 1

    def since(self, number: int) -> tuple[int, list[tuple[str, str]]]:
        """The number now, and what came after ``number``: plugins and verbs."""
        with self._common.locked(BOARD_AT):
            now, words = self._read()
        return now, [(plugin, verb) for plugin, (at, verb) in words.items() if at > number]

    def _read(self) -> tuple[int, dict[str, tuple[int, str]]]:
        number, length = _HEAD.unpack_from(self._common.memory, BOARD_AT)
        return number, json.loads(self._common.memory[_TEXT_AT : _TEXT_AT + length] or b"{}")

    def _write(self, number: int, words: Mapping[str, tuple[int, str]]) -> None:
        text = json.dumps(words).encode()
        if len(text) > _MOST:  # a process that missed one of those is a look at the folders behind, and no more
            words = {plugin: word for plugin, word in words.items() if word[1] == _LASTING or word[0] == number}
            text = json.dumps(words).encode()
        if len(text) > _MOST:
            raise LifecycleError(
                "so many plugins are stopped that the processes cannot tell each other of one more",
                fix="start some of them, or take their folders away",
            )
        self._common.memory[_TEXT_AT : _TEXT_AT + len(text)] = text
        _HEAD.pack_into(self._common.memory, BOARD_AT, number, len(text))

"""Writes down what the server answers to a client's first requests, for the front of the next start."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mcp_server.opening.conversation import Conversation
from mcp_server.opening.front import Opened
from mcp_server.opening.memory import MAX_BYTES, Memory, written
from mcp_server.opening.world import Fact, fact_of, settled
from mcp_server.whole_file import replace_file

__all__ = ["Premises", "Recorder"]

logger = logging.getLogger(__name__)
MOST_ANSWERS = 32
MOST_LEARNED = 64
MOST_FILES = 16


class Premises(NamedTuple):
    """What answers rest on.

    Attributes:
        paths: Each file and folder that was looked at, or looked for -> whether its bytes count.
        announced: What the record of the running server says.
        state: The folder of that record.
    """

    paths: Mapping[str, bool]
    announced: dict[str, Any]
    state: str


class Recorder:
    """Of one client; it stops at the first message that a front would leave to the server.

    Args:
        opened: What the front has done at this start.
        premises: What answers of this server rest on; None where they must not be remembered.
    """

    def __init__(self, opened: Opened, premises: Callable[[], Premises | None]) -> None:
        self.opened, self._premises = opened, premises
        self._conversation = Conversation()
        self._open: dict[str | int, str] = {}
        self._answers: dict[str, str] = {}
        self._kept: object = None
        self.listening = True
        """Whether what is said now may be remembered."""
        self.stopped = False
        """Whether what was remembered does not hold any more."""
        self.learned: Callable[[], dict[str, str]] = dict
        """What else a later start should know."""
        self.new = asyncio.Event()
        """Set while there is something to keep."""

    def arrived(self, message: Mapping[str, Any]) -> None:
        """Take a message of the client, in order."""
        if not self.listening:
            return
        method: str = message.get("method", "")
        if "id" not in message:
            self.listening = self._conversation.notified(method, message.get("params"))
            return
        name = self._conversation.next(method, message.get("params"))
        if name is None or message["id"] in self._open:
            self.listening = False
        else:
            self._open[message["id"]] = name

    def answered(self, request: object, result: Callable[[], str | None]) -> None:
        """Take the answer to a request: the JSON of its result, or None for an error."""
        name = self._open.pop(request, None) if isinstance(request, str | int) else None
        said = result() if name is not None else None
        if name is not None and said is not None:
            self._answers[name] = said
            self.new.set()

    def stop(self) -> None:
        """The server is not the one that was started any more: what it says now is not remembered."""
        self.listening, self.stopped = False, True
        self._open.clear()

    def keep(self) -> None:
        """Write what is new; where the disk refuses, nothing is remembered. Reads many files."""
        fresh, learned = dict(self._answers), self.learned()
        premises = self._premises() if fresh and (fresh, learned) != self._kept else None
        if premises is None:
            return
        self._kept = fresh, learned
        facts = _facts(premises)
        if not all(settled(fact, self.opened.began) for fact in facts.values()):
            return
        older, before = (self.opened.known, self.opened.learned) if facts == self.opened.facts else ({}, {})
        answers = _last(MOST_ANSWERS, older | fresh)
        known = _last(MOST_LEARNED, before | learned)
        if (answers, known) != (older, before):
            memory = Memory(facts, answers, known, self.opened.options, premises.announced, premises.state)
            _write(Path(self.opened.file), memory)

    def outdated(self) -> bool:
        """Whether a file is not what it was when the front answered. Reads many files."""
        premises = self._premises()
        return premises is None or _facts(premises) != self.opened.facts


def _facts(premises: Premises) -> dict[str, Fact]:
    return {path: fact_of(path, hashed=hashed) for path, hashed in premises.paths.items()}


def _last(most: int, entries: dict[str, str]) -> dict[str, str]:
    return dict([*entries.items()][-most:])


def _write(file: Path, memory: Memory) -> None:
    data = written(memory, file.name)
    if len(data) > MAX_BYTES:
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(file, data)
        _make_room(file.parent)
    except OSError as error:
        logger.debug("the first answers are not remembered: %s", error)


def _make_room(folder: Path) -> None:
    found = sorted(folder.glob("*.json"), key=_age)
    for path in found[MOST_FILES:]:
        path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    with suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0

"""Reads from the client before there is a server, and repeats what the server said last time, as long as it can."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any, NamedTuple

from mcp_server.opening.conversation import Conversation
from mcp_server.opening.lines import Said, is_blank, read_line
from mcp_server.opening.memory import Memory, read_memory
from mcp_server.opening.place import file_for
from mcp_server.opening.world import Fact
from mcp_server.running.presence import announced

__all__ = ["Heard", "Opened", "open_pipes"]

READ = 65_536
_OTHERWISE = ("--http", "--processes", "--inherited", "--watch", "--help", "--install-completion", "--show-completion")
"""Options of ``serve`` with which the server is started at once."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Heard(NamedTuple):
    """What the server must know of, because the client did it.

    Attributes:
        said: A request or a notification.
        told: The JSON of the result that it was answered; None for a notification.
    """

    said: Said
    told: str | None


class Opened(NamedTuple):
    """How far it came.

    Attributes:
        file: Where answers may be remembered.
        began: When the server's turn began, in nanoseconds since 1970: what changes later may not be what it reads.
        known: The answers that held.
        learned: What else is known from an earlier start.
        options: What the command line means; empty where that is still to be found out.
        facts: What all of it rests on.
        heard: In order, each only once.
        unread: What was read from the client and not looked at.
        over: Whether the client, or who started the process, has ended it.
    """

    file: str
    began: int
    known: dict[str, str]
    learned: dict[str, str]
    options: dict[str, Any]
    facts: dict[str, Fact]
    heard: list[Heard]
    unread: bytes
    over: bool


class _Signalled(Exception):  # no error: a way out of waiting
    """The process was signalled while nothing was on its way."""


def open_pipes(words: Sequence[str], environment: Mapping[str, str], source: int, sink: int) -> Opened | None:
    """Answer the first requests of a client on pipes; returns at the first byte that is for the server.

    Args:
        words: The command line behind ``serve``.
        environment: The process's.
        source: Descriptor to read requests from.
        sink: Descriptor that carries answers.

    Returns:
        None where this is no start that answers could be remembered of.
    """
    if any(word.partition("=")[0] in _OTHERWISE for word in words):
        return None
    try:
        file = file_for(words, environment)
    except OSError:
        return None
    memory = read_memory(file)
    if memory is None or not memory.holds:
        return Opened(file, time.time_ns(), {}, {}, {}, {}, [], b"", over=False)
    return _Front(memory, source, sink).run(file)


class _Front:
    def __init__(self, memory: Memory, source: int, sink: int) -> None:
        self._memory, self._source, self._sink = memory, source, sink
        self._conversation = Conversation()
        self._heard: dict[str, Heard] = {}
        self._rest = b""
        self._signal = 0
        self._waiting = False

    def run(self, file: str) -> Opened:
        before = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        try:
            with announced(self._memory.state, self._memory.announced):
                over = self._serve()
        except _Signalled:
            over = self._signal != signal.SIGHUP  # that one asks for a look at everything, which is the server's
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if self._signal == signal.SIGHUP:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the server listens for it
        facts, known, learned, options, _, _ = self._memory
        return Opened(
            file, time.time_ns(), known, learned, options, facts, list(self._heard.values()), self._rest, over
        )

    def _serve(self) -> bool:
        """Whether the client has left, with every request of it answered."""
        while True:
            line, end, rest = self._rest.partition(b"\n")
            if end and (is_blank(line) or self._take(line)):
                self._rest = rest
            elif end or len(line) > READ:
                return False
            elif not self._more():
                return is_blank(self._rest)

    def _more(self) -> bool:
        """Wait for more of the client; False at the end of its input."""
        self._waiting = True  # from here on a signal ends the wait, and nothing is lost by that
        if self._signal:
            raise _Signalled
        select.select([self._source], [], [])
        self._waiting = False
        data = os.read(self._source, READ)
        self._rest += data
        return bool(data)

    def _take(self, line: bytes) -> bool:
        """Whether ``line`` was for the front."""
        said = read_line(line)
        if said is None:
            return False
        if said.id is None:
            known = self._conversation.notified(said.method, said.params)
            if known:
                self._heard.setdefault(said.method, Heard(said, None))
            return known
        name = self._conversation.next(said.method, said.params)
        told = self._memory.answers.get(name) if name is not None else None
        if told is None:
            return False
        self._write(b'{"jsonrpc":"2.0","id":%b,"result":%b}\n' % (json.dumps(said.id).encode(), told.encode()))
        self._heard.setdefault(str(name), Heard(said, told))
        return True

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._sink, data) :]
            except BlockingIOError:
                select.select([], [self._sink], [])
            except OSError:  # the client is gone; reading will end too
                return

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._signal = number
        if self._waiting:
            self._waiting = False
            raise _Signalled

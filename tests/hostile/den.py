"""A real server with hostile plugins, a healthy neighbour that is called all the while, and a client for both."""

from __future__ import annotations

import functools
import itertools
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import wasmtime

from tests.stdio_server import META, Json, StdioServer

__all__ = ["Den", "den_of", "hostile"]

NEIGHBOUR = "neighbour__echo"
PATIENCE = 30.0
"""Seconds after which an answer counts as lost, on the busiest machine."""


@functools.cache
def hostile(name: str) -> bytes:
    """The module of ``<name>.wat`` beside this file."""
    return bytes(wasmtime.wat2wasm((Path(__file__).parent / f"{name}.wat").read_text(encoding="utf-8")))


class Den:
    """Many requests at one time on one server, and the record of how the neighbour fared.

    Attributes:
        answered: Calls of the neighbour that were answered with what they sent.
        lost: What the other ones were answered.
    """

    def __init__(self, server: StdioServer) -> None:
        self.server = server
        self.answered = 0
        self.lost: list[Json] = []
        self.notes: list[Json] = []  # notifications and requests of the server
        self._numbers = itertools.count(1_000_000)
        self._waiting: dict[int, tuple[anyio.Event, list[Json]]] = {}
        self._changed = anyio.Event()

    async def start(self, method: str, params: Mapping[str, Any]) -> int:
        """Send a request and return its id at once."""
        number = next(self._numbers)
        self._waiting[number] = (anyio.Event(), [])
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": META}}
        await self.server.send(message)
        return number

    async def finish(self, number: int) -> Json:
        """The response to request ``number``."""
        event, messages = self._waiting[number]
        with anyio.fail_after(PATIENCE):
            await event.wait()
        del self._waiting[number]
        return messages[0]

    async def start_call(self, tool: str, arguments: Json | None = None) -> int:
        """Send a ``tools/call``."""
        return await self.start("tools/call", {"name": tool, "arguments": arguments or {}})

    async def call(self, tool: str, arguments: Json | None = None) -> Json:
        """A ``tools/call`` and its result."""
        answer = await self.finish(await self.start_call(tool, arguments))
        assert "result" in answer, answer
        return answer["result"]

    async def cancel(self, number: int) -> None:
        """Withdraw request ``number``."""
        await self.server.send(
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number, "reason": "test"}}
        )

    async def see_neighbour(self, times: int = 5) -> None:
        """Return when the neighbour was answered ``times`` more, and assert that it has lost nothing so far."""
        goal = self.answered + times
        while self.answered < goal and not self.lost:
            await self._changed.wait()
        assert self.lost == []

    async def read(self) -> None:
        """Hand every message to whoever waits for it, for ever."""
        while True:
            message = await self.server.receive()
            waiting = self._waiting.get(message["id"]) if "method" not in message else None
            if waiting is None:
                self.notes.append(message)
            else:
                waiting[1].append(message)
                waiting[0].set()

    async def keep_calling(self, who: int) -> None:
        """Call the neighbour again and again, each time with a text of its own."""
        for number in itertools.count():
            sent = {"who": who, "number": number}
            result = await self.call(NEIGHBOUR, sent)
            if result.get("structuredContent") == sent:
                self.answered += 1
            else:
                self.lost.append(result)
            self._changed.set()
            self._changed = anyio.Event()


@asynccontextmanager
async def den_of(server: StdioServer, callers: int = 2) -> AsyncGenerator[Den]:
    """Keep calling the neighbour on ``server`` from ``callers`` tasks."""
    den = Den(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(den.read)
        for who in range(callers):
            tasks.start_soon(den.keep_calling, who)
        yield den
        tasks.cancel_scope.cancel()

"""Servers that are started again on one home, and what they have imported when they answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.flows import bodies
from tests.guests import write_plugin
from tests.stdio_server import Json, StdioServer, stdio_server

INITIALIZE: Json = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
TOOL = '[[tools]]\nfunction = "echo"\ndescription = "Says it again."\n[tools.input_schema]\ntype = "object"'


async def first_requests(server: StdioServer) -> list[Json]:
    """The handshake and the list of a client that always asks the same; the answers."""
    answers = [await server.ask("initialize", INITIALIZE)]
    await server.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    return [*answers, await server.ask("tools/list", {})]


class Start:
    """One start of a server."""

    def __init__(self, server: StdioServer, trace: Path) -> None:
        self.server, self._trace = server, trace

    def in_order(self) -> list[str]:
        """The packages and modules that it has imported so far, the first one first."""
        lines = self._trace.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")]

    def imported(self) -> set[str]:
        """The same without an order."""
        return set(self.in_order())

    @property
    def light(self) -> bool:
        """Whether there is no server behind the answers yet."""
        return "mcp_server.app" not in self.imported()


class Home:
    """A home and a folder of plugins, for one start after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.plugins = folder / "home", folder / "plugins"
        self.folder.mkdir(parents=True)
        self.plugins.mkdir()
        self._starts = 0

    @property
    def files(self) -> list[Path]:
        """Those of remembered answers."""
        return sorted((self.folder / "cache" / "answers").glob("*.json"))

    def add(self, plugin: str) -> Path:
        """Another plugin; its folder."""
        return write_plugin(self.plugins, plugin, bodies.also_echo(""), TOOL)

    async def remember(self, lines: Sequence[bytes] = ()) -> None:
        """Let a server answer a client's first requests, until they are remembered: files may be too young for that."""
        for _ in range(3):
            async with self.start() as start:
                if lines:
                    await start.server.send_raw(b"".join(lines))
                    for _ in [one for one in lines if b'"id"' in one]:
                        await start.server.receive()
                else:
                    await first_requests(start.server)
                assert await start.server.close() == 0
            if self.files:
                return
        raise AssertionError("nothing was remembered")

    @asynccontextmanager
    async def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> AsyncGenerator[Start]:
        """Start the server."""
        self._starts += 1
        trace = self.folder / f"trace-{self._starts}.txt"
        variables = {"AGENTMEM_LOG__LEVEL": "error", "PYTHONPROFILEIMPORTTIME": "1", **(environment or {})}
        with trace.open("wb") as stderr:
            serving = stdio_server(
                self.plugins, home=self.folder, arguments=arguments, environment=variables, stderr=stderr.fileno()
            )
            async with serving as server:
                yield Start(server, trace)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With one plugin."""
    fresh = Home(tmp_path)
    fresh.add("well")
    return fresh

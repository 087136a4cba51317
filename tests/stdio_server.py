"""A real server process on pipes, spoken to in raw JSON lines: what a client in any language would do."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

MODERN = "2026-07-28"
META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
MAX_LINE = 64 * 1024 * 1024

Json = dict[str, Any]


class StdioServer:
    """One running server."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.stdin = process.stdin
        self._lines = BufferedByteReceiveStream(process.stdout)
        self._ids = itertools.count(1)
        self.seen: list[Json] = []  # what arrived while something else was waited for

    async def send_raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        await self.stdin.send(data)

    async def send(self, message: Json) -> None:
        """Write one message."""
        await self.send_raw(json.dumps(message).encode() + b"\n")

    async def receive(self) -> Json:
        """The next line of stdout, which must be one JSON object."""
        line = await self._lines.receive_until(b"\n", MAX_LINE)
        message: Json = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    async def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Json:
        """Send a request as it stands and wait for its response, whole."""
        number = next(self._ids)
        message: Json = {"jsonrpc": "2.0", "id": number, "method": method}
        if params is not None:
            message["params"] = dict(params)
        await self.send(message)
        return await self.answer(number)

    async def answer(self, number: int | str) -> Json:
        """The response to request ``number``."""
        for early in self.seen:
            if early.get("id") == number:
                self.seen.remove(early)
                return early
        while True:
            message = await self.receive()
            if message.get("id") == number and "method" not in message:
                return message
            self.seen.append(message)

    async def modern(self, method: str, params: Mapping[str, Any] | None = None) -> Json:
        """A 2026-07-28 request: no handshake, an envelope in each message."""
        return await self.ask(method, {**(params or {}), "_meta": META})

    async def initialize(self, version: str = "2025-11-25") -> Json:
        """The handshake of the older revisions."""
        answer = await self.ask(
            "initialize",
            {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
        )
        await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    async def call(self, name: str, arguments: Any = None) -> Json:
        """A modern ``tools/call``; its result."""
        answer = await self.modern("tools/call", {"name": name, "arguments": {} if arguments is None else arguments})
        assert "result" in answer, answer
        return answer["result"]

    async def tools(self) -> list[str]:
        """The names of the plugins' tools that a modern ``tools/list`` shows; the host's own are not among them."""
        answer = await self.modern("tools/list")
        names = [tool["name"] for tool in answer["result"]["tools"]]
        return [name for name in names if not name.startswith("memory__")]

    async def close(self) -> int:
        """Close stdin and wait for the exit status."""
        await self.stdin.aclose()
        return await self.process.wait()


@asynccontextmanager
async def stdio_server(
    *folders: Path,
    home: Path,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    stderr: int | None = None,
) -> AsyncGenerator[StdioServer]:
    """Start ``agentmem-mcp serve`` on plugin folders; killed at the end when it still runs.

    Args:
        folders: Given as ``--plugins``.
        home: ``AGENTMEM_HOME``.
        arguments: More of the command line.
        environment: More of the environment.
        stderr: Descriptor for its stderr; the test's own when omitted.
    """
    command = [sys.executable, "-m", "mcp_server", "serve", *arguments]
    for folder in folders:
        command += ["--plugins", str(folder)]
    variables = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home), **(environment or {})}  # noqa: TID251  # a test's
    process = await anyio.open_process(command, stderr=stderr, env=variables, cwd=home)
    try:
        yield StdioServer(process)
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()


def error_code(result: Json) -> str:
    """The code of a tool error."""
    assert result["isError"] is True, result
    return result["_meta"]["agentmem/error"]["code"]


def text_of(result: Json) -> str:
    """The text of a result's first block."""
    return result["content"][0]["text"]

"""A plugin's log lines on their way to the client, in both protocol eras, through the real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.flows import bodies
from tests.guests import write_plugin
from tests.requirements import requirement
from tests.stdio_server import META, Json, StdioServer

LINE = {"message": "half done", "level": "warning", "fields": {"left": 3}}
LEVEL = "io.modelcontextprotocol/logLevel"


@pytest.fixture(autouse=True)
def talker(plugins: Path) -> None:
    write_plugin(plugins, "talker", bodies.asks("log"), '[capabilities]\nrequired = ["LoggingAccess"]\n')


def logged(server: StdioServer) -> list[Json]:
    return [message["params"] for message in server.seen if message.get("method") == "notifications/message"]


@requirement("log:to-client")
async def test_a_modern_client_gets_lines_only_when_it_asks_from_its_level_on(serve: Serve) -> None:
    async with serve() as server:
        await server.call("talker__run", LINE)
        assert logged(server) == []
        for level, lines in (("error", 0), ("warning", 1), ("debug", 2)):
            meta = {**META, LEVEL: level}
            await server.ask("tools/call", {"name": "talker__run", "arguments": LINE, "_meta": meta})
            assert len(logged(server)) == lines
        data = {"message": "half done", "fields": {"left": 3}}
        assert logged(server)[0] == {"level": "warning", "logger": "talker", "data": data}


@requirement("log:to-client")
async def test_a_legacy_client_gets_lines_until_it_sets_a_higher_level(serve: Serve) -> None:
    async with serve() as server:
        answer = await server.initialize()
        assert "logging" in answer["result"]["capabilities"]
        await server.ask("tools/call", {"name": "talker__run", "arguments": LINE})
        assert [line["data"]["message"] for line in logged(server)] == ["half done"]
        await server.ask("logging/setLevel", {"level": "error"})
        await server.ask("tools/call", {"name": "talker__run", "arguments": LINE})
        assert len(logged(server)) == 1

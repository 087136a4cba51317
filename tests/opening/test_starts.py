"""Starts of the real server on one home: what the second one answers from memory, and what it leaves to the server."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.flows import bodies
from tests.guests import write_plugin
from tests.opening.conftest import INITIALIZE, Home, first_requests
from tests.requirements import requirement
from tests.runtime.plugins import children_of
from tests.stdio_server import META, Json, StdioServer

HEAVY = {
    "mcp",
    "mcp_types",
    "starlette",
    "uvicorn",
    "pydantic",
    "pydantic_core",
    "apsw",
    "extism",
    "typer",
    "anyio",
    "asyncio",
}
SDK = {"AGENTMEM_RUNTIME__FAST_LANE": "false"}
SESSION = ["2025-06-18", "2025-11-25", "2024-11-05", "1999-01-01"]
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'


def line(number: Any, method: str, params: Json | None) -> bytes:
    return json.dumps({"params": params, "method": method, "id": number, "jsonrpc": "2.0"}).encode() + b"\n"


def conversations() -> dict[str, list[bytes]]:
    """First lines of clients; each but notifications has an answer."""
    shape: Json = {"capabilities": {"roots": {}}, "clientInfo": {"name": "ünï", "version": "2"}}
    sessions = {
        version: [
            line("a b", "initialize", {**shape, "protocolVersion": version}),
            INITIALIZED,
            line(-7, "ping", {}),
            line(0, "tools/list", {}),
            line(1, "tools/list", {"_meta": {}}),
        ]
        for version in SESSION
    }
    modern = [line(1, "tools/list", {"_meta": META}), line(2, "server/discover", {"_meta": META})]
    probed = [line(1, "server/discover", {"_meta": META}), line(2, "tools/list", {"_meta": META})]
    turned = [line(9, "server/discover", {"_meta": META}), *sessions["2025-11-25"]]
    return {**sessions, "modern": modern, "probed": probed, "turned": turned}


async def told(server: StdioServer, lines: list[bytes]) -> list[Json]:
    await server.send_raw(b"".join(lines))
    return [await server.receive() for line in lines if line != INITIALIZED]


@requirement("opening:light")
async def test_a_second_start_answers_handshake_and_list_with_nothing_heavy_imported(home: Home) -> None:
    async with home.start() as first:
        expected = await first_requests(first.server)
        assert not first.light
        assert await first.server.close() == 0
    await home.remember()
    async with home.start() as second:
        assert await first_requests(second.server) == expected
        assert second.imported() & HEAVY == set()
        assert second.light
        assert await second.server.close() == 0


@requirement("opening:same")
@pytest.mark.parametrize("kind", conversations())
async def test_what_is_answered_from_memory_is_what_the_sdk_answers(home: Home, kind: str) -> None:
    lines = conversations()[kind]
    async with home.start() as first:
        await told(first.server, lines)
        await first.server.close()
    async with home.start() as again:
        answers = await told(again.server, lines)
        light = again.light
    async with home.start(environment=SDK) as plain:
        assert answers == await told(plain.server, lines)
    assert light or not home.files  # files that are too young are not relied on


@requirement("opening:taken-over")
async def test_what_follows_reaches_the_server_whole_and_in_order(home: Home) -> None:
    await home.remember()
    call = {"name": "well__echo", "arguments": {"a": 1}}
    async with home.start() as start:
        await told(start.server, [line(0, "initialize", INITIALIZE), INITIALIZED, line(1, "tools/list", {})])
        assert start.light
        rest = [
            line(1, "tools/call", call),
            b"no json\n",
            line(2, "ping", {}),
            b"\n",
            line(3, "initialize", INITIALIZE),
        ]
        await start.server.send_raw(b"".join(rest)[:-1])
        heard = [await start.server.receive() for _ in range(3)]
        assert not start.light
        await start.server.send_raw(b"\n")
        heard.append(await start.server.receive())
        assert await start.server.close() == 0
    by_id = {answer["id"]: answer for answer in heard}
    assert by_id[1]["result"]["structuredContent"] == {"a": 1}
    assert by_id[None]["error"]["code"] == -32700
    assert by_id[2]["result"] == {}
    assert by_id.keys() == {None, 1, 2, 3}


@requirement("opening:taken-over")
async def test_a_call_in_the_first_write_is_answered_in_the_era_that_the_memory_began(home: Home) -> None:
    modern = [line(0, "tools/list", {"_meta": META})]
    for _ in range(2):
        async with home.start() as first:
            await told(first.server, modern)
            await first.server.close()
    async with home.start() as start:
        call = line(1, "tools/call", {"name": "well__echo", "arguments": {"a": 2}, "_meta": META})
        answers = await told(start.server, [*modern, call, line(2, "initialize", INITIALIZE)])
    by_id = {answer["id"]: answer for answer in answers}
    assert by_id[1]["result"]["structuredContent"] == {"a": 2}
    assert "error" in by_id[2]


@requirement("opening:light")
@pytest.mark.parametrize("era", ["session", "modern"])
async def test_first_calls_are_answered_without_the_sdk_and_what_needs_it_brings_it_in(home: Home, era: str) -> None:
    meta: Json = {"_meta": META} if era == "modern" else {}
    first = [line(1, "tools/list", meta)]
    if era == "session":
        first = [line(0, "initialize", INITIALIZE), INITIALIZED, line("p", "ping", {}), *first]
    await home.remember(lines=first)
    async with home.start() as start:
        await told(start.server, first)
        assert start.light
        call: Json = {"name": "well__echo", "arguments": {"a": 1}, **meta}
        answer = await start.server.ask("tools/call", call)
        assert answer["result"]["structuredContent"] == {"a": 1}
        if era == "session":
            assert (await start.server.ask("ping", {}))["result"] == {}
        assert "tools" in (await start.server.ask("tools/list", meta))["result"]
        assert start.imported() & {"mcp", "mcp_types"} == set()
        refused = await start.server.ask("tools/call", {**call, "name": "nobody__knows"})
        assert "mcp" in start.imported()
        again = await start.server.ask("tools/call", call)
        assert await start.server.close() == 0
    async with home.start(environment=SDK) as plain:
        await told(plain.server, first)
        assert (await plain.server.ask("tools/call", call))["result"] == answer["result"] == again["result"]
        assert (await plain.server.ask("tools/call", {**call, "name": "nobody__knows"}))["error"] == refused["error"]


@requirement("opening:ahead")
async def test_the_parent_of_workers_starts_before_the_server_that_a_call_waits_for(home: Home) -> None:
    await home.remember()
    async with home.start() as start:
        await first_requests(start.server)
        assert "subprocess" not in start.imported()
        await start.server.ask("tools/call", {"name": "well__echo", "arguments": {}})
        order = start.in_order()
        assert order.index("mcp_server.worker.ahead") < order.index("pydantic")
        (parent,) = children_of(start.server.process.pid)
        assert len(children_of(parent)) == 1
        assert await start.server.close() == 0


@requirement("opening:taken-over")
async def test_a_call_that_is_cancelled_before_there_is_the_sdk_gets_no_answer(home: Home) -> None:
    endless = bodies.also_echo(bodies.SLOW_LOOP)
    limits = "[limits]\nmax_execution_time_ms = 5_000\nmax_concurrency = 1\nmax_instructions = 100_000_000_000"
    write_plugin(home.plugins, "endless", endless, limits)
    await home.remember()
    async with home.start() as start:
        await first_requests(start.server)
        await start.server.send_raw(line("gone", "tools/call", {"name": "endless__run", "arguments": {}}))
        cancelled = {"method": "notifications/cancelled", "params": {"requestId": "gone"}}
        await start.server.send({"jsonrpc": "2.0", **cancelled})
        answer = await start.server.ask("tools/call", {"name": "endless__echo", "arguments": {"a": 1}})
        assert answer["result"]["isError"] is False
        assert start.server.seen == []
        assert "mcp" not in start.imported()
        assert await start.server.close() == 0


@requirement("opening:never-stale")
async def test_a_plugin_that_changed_in_secret_is_not_listed_from_memory(home: Home) -> None:
    manifest = home.plugins / "well" / "plugin.toml"
    before = manifest.stat()
    await home.remember()
    manifest.write_bytes(manifest.read_bytes().replace(b"Says it again", b"Says no more!"))
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert manifest.stat().st_size == before.st_size
    async with home.start() as start:
        listed = (await first_requests(start.server))[1]["result"]["tools"]
    assert [tool["description"] for tool in listed if tool["name"] == "well__echo"] == ["Says no more!."]


@requirement("opening:taken-over")
async def test_a_list_that_changed_since_is_announced_and_remembered_anew(home: Home) -> None:
    await home.remember()
    async with home.start() as start:
        await first_requests(start.server)
        assert start.light
        home.add("late")
        answer = await start.server.ask("tools/call", {"name": "late__echo", "arguments": {}})
        assert answer["result"]["isError"] is False
        assert (await start.server.receive())["method"] == "notifications/tools/list_changed"
        await start.server.close()
    await home.remember()
    async with home.start() as again:
        answers = await first_requests(again.server)
        assert "late__echo" in [tool["name"] for tool in answers[1]["result"]["tools"]]


@requirement("opening:never-stale")
async def test_a_setting_that_changed_is_in_the_next_answer(home: Home) -> None:
    await home.remember()
    config = home.folder / "config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text("[memory]\ntools = false\n", encoding="utf-8")
    async with home.start() as start:
        answers = await first_requests(start.server)
    assert [tool["name"] for tool in answers[1]["result"]["tools"]] == ["well__echo"]


@requirement("opening:two-at-once")
async def test_two_servers_that_start_at_once_on_an_empty_cache_both_answer_and_remember(home: Home) -> None:
    async with home.start() as one, home.start() as other:
        answers: list[list[Json]] = []

        async def ask(server: StdioServer) -> None:
            answers.append(await first_requests(server))
            assert await server.close() == 0

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, one.server)
            tasks.start_soon(ask, other.server)
    assert answers[0] == answers[1]
    await home.remember()
    async with home.start() as one, home.start() as other:
        assert await first_requests(one.server) == await first_requests(other.server) == answers[0]
        assert one.light
        assert other.light


@requirement("opening:light")
async def test_while_it_waits_it_is_found_ends_with_0_at_a_signal_and_looks_again_at_a_hangup(home: Home) -> None:
    await home.remember()
    async with home.start() as start:
        await first_requests(start.server)
        record = home.folder / "state" / "running" / f"{start.server.process.pid}.json"
        assert json.loads(record.read_bytes())["folders"] == [str(home.plugins)]
        start.server.process.send_signal(signal.SIGTERM)
        assert await start.server.process.wait() == 0
        assert not record.exists()
        assert start.light
    async with home.start() as start:
        await first_requests(start.server)
        home.add("late")
        start.server.process.send_signal(signal.SIGHUP)
        assert (await start.server.receive())["method"] == "notifications/tools/list_changed"
        assert not start.light


@requirement("opening:never-stale")
async def test_without_the_lane_nothing_is_remembered_and_nothing_answered_from_memory(
    home: Home, tmp_path: Path
) -> None:
    async with home.start(environment=SDK) as start:
        await first_requests(start.server)
        assert await start.server.close() == 0
    assert home.files == []
    await home.remember()
    config = home.folder / "config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text("[runtime]\nfast_lane = false\n", encoding="utf-8")
    async with home.start() as start:
        await first_requests(start.server)
        assert not start.light

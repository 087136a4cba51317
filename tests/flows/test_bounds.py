"""A client says for which agent and run a call is; then no plugin and no argument reaches beyond that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import plugin
from tests.requirements import requirement
from tests.stdio_server import META, Json, StdioServer

WRITER = {"agentmem/agent_id": "writer"}
MONDAY = {**WRITER, "agentmem/run_id": "monday"}


async def call(server: StdioServer, tool: str, arguments: Json, meta: Json) -> Json:
    answer = await server.ask("tools/call", {"name": tool, "arguments": arguments, "_meta": {**META, **meta}})
    result = answer.get("result", answer)
    return result.get("structuredContent", result)


async def both(server: StdioServer, word: str, arguments: Json, meta: Json) -> list[Json]:
    """The data of the plugin's host function and of the server's own tool of the same name."""
    relayed = await call(server, f"notes__{word}", arguments, meta)
    own = await call(server, f"memory__{word.split('_')[0]}", arguments, meta)
    return [relayed["data"] if relayed["success"] else relayed["metadata"], own]


def texts(found: Json) -> list[str]:
    return [one["memory"]["content"] for one in found["results"]]


@pytest.fixture
def home(plugins: Path) -> dict[str, str]:
    plugin(plugins, "notes", "MemoryAccess")
    return {"AGENTMEM_HOME": str(plugins.parent / "home")}


@requirement("memory:bounds")
async def test_a_call_for_one_agent_and_run_writes_and_finds_inside_of_them_alone(serve: Serve, home: Any) -> None:
    async with serve(environment=home) as server:
        inside = await both(server, "add_memory", {"content": "tea on monday"}, MONDAY)
        await both(server, "add_memory", {"content": "tea of the writer"}, WRITER)
        await both(server, "add_memory", {"content": "tea of somebody", "agent_id": "reader"}, {})
        assert [(one["memory"]["agent_id"], one["memory"]["run_id"]) for one in inside] == [("writer", "monday")] * 2
        for meta, count in ((MONDAY, 1), (WRITER, 2), ({}, 3)):
            found = await both(server, "search_memories", {"query": "tea"}, meta)
            assert [len(texts(one)) for one in found] == [count, count]
        wide = {"query": "tea", "filters": {"OR": [{"agent_id": "reader"}, {"NOT": {"agent_id": "reader"}}]}}
        assert texts((await both(server, "search_memories", wide, MONDAY))[0]) == ["tea on monday"]
        listed = await call(server, "memory__list", {}, WRITER)
        assert {one["agent_id"] for one in listed["memories"]} == {"writer"}


@requirement("memory:bounds")
async def test_what_lies_beyond_is_not_there_for_a_bound_call(serve: Serve, home: Any) -> None:
    async with serve(environment=home) as server:
        others = [one["memory"]["id"] for one in await both(server, "add_memory", {"content": "mine"}, {})]
        for tool, identifier in zip(("notes__{}_memory", "memory__{}"), others, strict=True):
            for word, more in (("get", {}), ("update", {"content": "theirs"}), ("delete", {})):
                answer = await call(server, tool.format(word), {"id": identifier, **more}, WRITER)
                if word == "delete":
                    assert (answer.get("data") or answer)["deleted"] is False
                else:
                    assert "memory_not_found" in str(answer)
            kept = await call(server, tool.format("get"), {"id": identifier}, {})
            assert (kept.get("data") or kept)["memory"]["content"] == "mine"
        resource = {"uri": f"memory://{others[1]}", "_meta": {**META, **WRITER}}
        assert (await server.ask("resources/read", resource))["error"]["code"] == -32602
        listed = await server.ask("resources/list", {"_meta": {**META, **WRITER}})
        assert listed["result"]["resources"] == []


@requirement("memory:bounds")
@pytest.mark.parametrize(
    ("word", "arguments"),
    [
        ("add_memory", {"content": "x", "agent_id": "reader"}),
        ("search_memories", {"query": "x", "agent_id": "reader"}),
        ("update_memory", {"agent_id": "reader"}),
        ("update_memory", {"agent_id": None}),
    ],
)
async def test_a_bound_call_that_names_another_agent_is_refused(
    serve: Serve, home: Any, word: str, arguments: Json
) -> None:
    async with serve(environment=home) as server:
        (mine, _) = await both(server, "add_memory", {"content": "tea"}, WRITER)
        given = {**arguments, "id": mine["memory"]["id"]} if word == "update_memory" else arguments
        refused = await call(server, f"notes__{word}", given, WRITER)
        assert refused["success"] is False
        assert refused["metadata"]["code"] == "invalid_request"
        kept = await call(server, "notes__get_memory", {"id": mine["memory"]["id"]}, {})
        assert kept["data"]["memory"]["agent_id"] == "writer"


@requirement("memory:bounds")
@pytest.mark.parametrize("value", ["", 7, "a\nb", "x" * 129, None])
async def test_a_call_for_what_is_no_label_is_refused(serve: Serve, home: Any, value: object) -> None:
    async with serve(environment=home) as server:
        answer = await call(server, "memory__list", {}, {"agentmem/run_id": value})
        assert answer["error"]["code"] == -32602
        assert "agentmem/run_id" in answer["error"]["message"]

"""The memory tools and resources of the host's own, as a client of either era sees them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import META, StdioServer, error_code

NAMES = ["memory__add", "memory__delete", "memory__get", "memory__list", "memory__search", "memory__update"]


@pytest.fixture
async def server(serve: Serve, tmp_path: Path) -> AsyncIterator[StdioServer]:
    async with serve(environment={"AGENTMEM_HOME": str(tmp_path / "home")}) as running:
        yield running


async def done(server: StdioServer, word: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await server.call(f"memory__{word}", arguments)
    assert result["isError"] is False, result
    return result["structuredContent"]


async def listed(server: StdioServer) -> dict[str, Any]:
    return {tool["name"]: tool for tool in (await server.modern("tools/list"))["result"]["tools"]}


@requirement("memory-tools:operations")
async def test_a_client_adds_finds_reads_changes_lists_and_deletes_memories(server: StdioServer) -> None:
    added = await done(server, "add", {"content": "Ann drinks green tea", "metadata": {"cups": 2}})
    memory = added["memory"]
    assert (added["duplicate"], memory["user_id"], memory["version"]) == (False, "local", 1)
    assert (await done(server, "add", {"content": "Ann drinks green tea"}))["duplicate"] is True
    found = await done(server, "search", {"query": "green teas", "filters": {"cups": {"gte": 2}}})
    assert [result["memory"]["id"] for result in found["results"]] == [memory["id"]]
    changed = await done(server, "update", {"id": memory["id"], "content": "Ann drinks coffee", "if_version": 1})
    assert changed["memory"]["version"] == 2
    assert (await done(server, "get", {"id": memory["id"]}))["memory"] == changed["memory"]
    await done(server, "add", {"content": "Bob drinks water"})
    first = await done(server, "list", {"limit": 1})
    second = await done(server, "list", {"limit": 1, "cursor": first["cursor"]})
    assert [page["memories"][0]["content"] for page in (first, second)] == ["Bob drinks water", "Ann drinks coffee"]
    assert second["cursor"] is None
    assert await done(server, "delete", {"id": memory["id"]}) == {"deleted": True}
    assert error_code(await server.call("memory__get", {"id": memory["id"]})) == "memory_not_found"


@requirement("memory-tools:operations")
async def test_memories_outlive_the_server(serve: Serve, tmp_path: Path) -> None:
    home = {"AGENTMEM_HOME": str(tmp_path / "home")}
    async with serve(environment=home) as server:
        await done(server, "add", {"content": "the canary sings"})
        assert await server.close() == 0
    async with serve(environment=home) as server:
        found = await done(server, "search", {"query": "canary"})
        assert found["results"][0]["memory"]["content"] == "the canary sings"


@requirement("memory-tools:listed")
async def test_the_tools_are_listed_with_schemas_and_hints_and_no_store_is_opened(
    server: StdioServer, tmp_path: Path
) -> None:
    tools = await listed(server)
    assert sorted(tools) == NAMES
    assert all(tool["inputSchema"]["additionalProperties"] is False for tool in tools.values())
    assert all(tool["outputSchema"]["type"] == "object" for tool in tools.values())
    reading = {name for name, tool in tools.items() if tool["annotations"]["readOnlyHint"]}
    destroying = {name for name, tool in tools.items() if tool["annotations"]["destructiveHint"]}
    assert reading == {"memory__get", "memory__list", "memory__search"}
    assert destroying == {"memory__delete", "memory__update"}
    assert not any(tool["annotations"]["openWorldHint"] for tool in tools.values())
    assert not list((tmp_path / "home").rglob("*.sqlite"))


@requirement("memory-tools:checked")
@pytest.mark.parametrize(
    ("word", "arguments", "code"),
    [
        ("add", {}, "invalid_arguments"),
        ("add", {"content": "x", "user_id": "bob"}, "invalid_arguments"),
        ("add", {"content": "x", "plugin": "other"}, "invalid_arguments"),
        ("add", {"content": "x" * 65_537}, "invalid_request"),
        ("add", {"content": "x", "metadata": {"a": "y" * 17_000}}, "invalid_request"),
        ("search", {"query": "x", "limit": 101}, "invalid_arguments"),
        ("search", {"query": "x", "filters": {"user_id": "bob"}}, "invalid_request"),
        ("search", {"query": "x", "mode": "semantic"}, "embeddings_not_configured"),
        ("update", {"id": "x"}, "invalid_request"),
        ("update", {"id": "x", "importance": 1}, "memory_not_found"),
        ("list", {"cursor": "forged"}, "cursor_invalid"),
        ("get", {"id": "x" * 129}, "invalid_arguments"),
    ],
)
async def test_a_bad_argument_gets_its_own_error_and_the_next_call_works(
    server: StdioServer, word: str, arguments: dict[str, Any], code: str
) -> None:
    assert error_code(await server.call(f"memory__{word}", arguments)) == code
    assert (await done(server, "list", {}))["memories"] == []


@requirement("memory-tools:checked")
async def test_the_limits_that_the_operator_sets_for_them_hold(serve: Serve, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[plugins.memory.limits]\nmax_output_bytes = 2000\n", encoding="utf-8")
    async with serve(
        arguments=["--config", str(config)], environment={"AGENTMEM_HOME": str(tmp_path / "home")}
    ) as server:
        assert error_code(await server.call("memory__add", {"content": "x" * 2_000})) == "limit_output_bytes"
        assert (await done(server, "add", {"content": "x"}))["duplicate"] is False


@requirement("memory-tools:own-space")
async def test_a_plugin_does_not_see_the_clients_memories_unless_the_operator_shares_them(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    relay = module(
        '(func (export "search_memories") (result i32) (local $o i64) (local.set $o (call $f (call $in)))'
        "(call $out (local.get $o) (call $length (local.get $o))) (i32.const 0))",
        '(import "agentmem" "search_memories" (func $f (param i64) (result i64)))',
    )
    for name in ("spy", "friend"):
        write_plugin(plugins, name, relay, '[capabilities]\nrequired = ["MemoryAccess"]\n')
    config = tmp_path / "config.toml"
    config.write_text('[grants.friend]\nmemories = "principal"\n', encoding="utf-8")
    home = {"AGENTMEM_HOME": str(tmp_path / "home")}
    async with serve(arguments=["--config", str(config)], environment=home) as server:
        await done(server, "add", {"content": "the canary sings"})
        seen = json.dumps(await server.call("spy__search_memories", {"query": "canary"}))
        shared = json.dumps(await server.call("friend__search_memories", {"query": "canary"}))
    assert "sings" not in seen
    assert "sings" in shared


@requirement("memory-tools:switch")
async def test_the_tools_and_resources_can_be_switched_off(serve: Serve, plugins: Path, tmp_path: Path) -> None:
    write_plugin(plugins, "memory", module(ECHO), '[[tools]]\nfunction = "echo"\nname = "add"\n')
    environment = {"AGENTMEM_HOME": str(tmp_path / "home"), "AGENTMEM_MEMORY__TOOLS": "false"}
    async with serve(environment=environment) as server:
        assert list(await listed(server)) == ["memory__add"]  # the plugin's
        assert (await server.modern("resources/list"))["error"]["code"] == -32601


@requirement("memory-tools:switch")
async def test_a_plugin_that_would_show_one_of_their_names_is_refused(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    write_plugin(plugins, "memory", answers("{}", name="add"), '[[tools]]\nfunction = "add"\n')
    async with serve(environment={"AGENTMEM_HOME": str(tmp_path / "home")}, stderr=None) as server:
        assert (await done(server, "add", {"content": "x"}))["memory"]["content"] == "x"


@requirement("memory-resources:read")
async def test_a_memory_is_read_as_a_resource_in_both_eras(server: StdioServer) -> None:
    memory = (await done(server, "add", {"content": "Ann drinks tea"}))["memory"]
    uri = f"memory://{memory['id']}"
    (contents,) = (await server.modern("resources/read", {"uri": uri}))["result"]["contents"]
    assert (contents["uri"], contents["mimeType"], json.loads(contents["text"])) == (uri, "application/json", memory)
    templates = (await server.modern("resources/templates/list"))["result"]["resourceTemplates"]
    assert [template["uriTemplate"] for template in templates] == ["memory://{id}"]


@requirement("memory-resources:read")
async def test_an_older_client_reads_memories_and_hears_its_own_not_found(server: StdioServer) -> None:
    capabilities = (await server.initialize())["result"]["capabilities"]
    assert "resources" in capabilities
    call = {"name": "memory__add", "arguments": {"content": "Ann drinks tea"}}
    memory = (await server.ask("tools/call", call))["result"]["structuredContent"]["memory"]
    (entry,) = (await server.ask("resources/list"))["result"]["resources"]
    assert (entry["uri"], entry["name"]) == (f"memory://{memory['id']}", "Ann drinks tea")
    (contents,) = (await server.ask("resources/read", {"uri": entry["uri"]}))["result"]["contents"]
    assert json.loads(contents["text"]) == memory
    assert (await server.ask("resources/read", {"uri": "memory://nothing"}))["error"]["code"] == -32002


@requirement("memory-resources:not-found")
@pytest.mark.parametrize(
    "uri", ["memory://nothing", "memory://", "memory://%00", "file:///etc/passwd", "memory://" + "x" * 200]
)
async def test_what_is_no_memory_is_not_found(server: StdioServer, uri: str) -> None:
    error = (await server.modern("resources/read", {"uri": uri}))["error"]
    assert (error["code"], error["data"]["uri"]) == (-32602, uri)


@requirement("memory-resources:list")
async def test_memories_are_listed_page_by_page(server: StdioServer) -> None:
    for number in range(101):
        await done(server, "add", {"content": f"note {number}\n" + "long " * 40})
    first = (await server.modern("resources/list"))["result"]
    second = (await server.modern("resources/list", {"cursor": first["nextCursor"]}))["result"]
    names = [entry["name"] for entry in first["resources"] + second["resources"]]
    assert (len(first["resources"]), len(names), len(set(names))) == (100, 101, 101)
    assert "nextCursor" not in second
    assert names[0].startswith("note 100 long")
    assert max(map(len, names)) == 80
    assert (await server.modern("resources/list", {"cursor": "forged"}))["error"]["code"] == -32602


@requirement("memory-resources:changes")
async def test_a_subscriber_hears_that_memories_were_added_and_changed(server: StdioServer) -> None:
    memory = (await done(server, "add", {"content": "Ann drinks tea"}))["memory"]
    uri = f"memory://{memory['id']}"
    wanted = {"resourcesListChanged": True, "resourceSubscriptions": [uri]}
    params = {"notifications": wanted, "_meta": META}
    await server.send({"jsonrpc": "2.0", "id": "s", "method": "subscriptions/listen", "params": params})
    assert (await server.receive())["method"] == "notifications/subscriptions/acknowledged"
    await done(server, "update", {"id": memory["id"], "content": "Ann drinks coffee"})
    await done(server, "add", {"content": "Bob drinks water"})
    while len(server.seen) < 2:
        server.seen.append(await server.receive())
    assert [message["method"] for message in server.seen] == [
        "notifications/resources/updated",
        "notifications/resources/list_changed",
    ]
    assert server.seen[0]["params"]["uri"] == uri

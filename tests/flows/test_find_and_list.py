"""From folders to ``tools/list``: where plugins are found, what a client is told of them, and what is not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import Serve
from tests.flows.processes import descendants
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import Json, StdioServer

WELL = module(ECHO + '(func (export "other") (result i32) (i32.const 0))')
ENTRY = """
[[tools]]
function = "echo"
name = "Say_it-again"
title = "Say it again"
description = "Answers with what it is given."
annotations = { idempotent = false }
input_schema = { type = "object", properties = { a = { type = "string" } } }
output_schema = { type = "object" }
[[tools]]
function = "other"
"""


async def listed(server: StdioServer) -> list[Json]:
    tools: list[Json] = (await server.modern("tools/list"))["result"]["tools"]
    return tools


@requirement("discovery:bundle")
@requirement("discovery:two-roots")
@requirement("discovery:lone-module")
async def test_bundles_split_plugins_and_lone_modules_are_found_side_by_side(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    manifests = tmp_path / "manifests"
    write_plugin(plugins, "bundle", WELL)
    write_plugin(manifests, "split", WELL)
    (plugins / "split").mkdir()
    (manifests / "split" / "split.wasm").rename(plugins / "split" / "split.wasm")
    (plugins / "Lone Module.wasm").write_bytes(WELL)
    async with serve(arguments=["--manifests", str(manifests)]) as server:
        names = await server.tools()
        assert names == [
            f"{plugin}__{word}" for plugin in ("bundle", "lone-module", "split") for word in ("echo", "other")
        ]
        for plugin in ("bundle", "lone-module", "split"):
            assert (await server.call(f"{plugin}__echo", {"a": plugin}))["structuredContent"] == {"a": plugin}


@requirement("tools:list")
@requirement("tools:names")
async def test_a_tool_is_listed_with_all_that_its_manifest_says(serve: Serve, plugins: Path) -> None:
    write_plugin(plugins, "p", WELL, ENTRY)
    async with serve() as server:
        named, plain = [tool for tool in await listed(server) if not tool["name"].startswith("memory__")]
    assert named == {
        "name": "p__Say_it-again",
        "title": "Say it again",
        "description": "Answers with what it is given.",
        "inputSchema": {"type": "object", "properties": {"a": {"type": "string"}}},
        "outputSchema": {"type": "object"},
        "annotations": {
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": False,
            "openWorldHint": False,
        },
    }
    assert (plain["name"], plain["description"]) == ("p__other", "other of the plugin p")
    assert plain["inputSchema"] == {"type": "object"}
    assert "outputSchema" not in plain


@requirement("tools:list")
async def test_a_long_list_comes_in_pages_without_gap_or_repeat(serve: Serve, plugins: Path) -> None:
    functions = [f"f{number:03}" for number in range(501)]
    body = "".join(f'(func (export "{name}") (result i32) (i32.const 0))' for name in functions)
    (plugins / "many.wasm").write_bytes(module(body))
    seen: list[str] = []
    async with serve(environment={"AGENTMEM_MEMORY__TOOLS": "false"}) as server:
        params: dict[str, Any] = {}
        for pages in (1, 2, 3):
            result = (await server.modern("tools/list", params))["result"]
            seen += [tool["name"] for tool in result["tools"]]
            params = {"cursor": result.get("nextCursor")}
            assert ("nextCursor" in result) == (pages < 3)
        wrong = await server.modern("tools/list", {"cursor": "nonsense!"})
    assert seen == [f"many__{name}" for name in functions]
    assert wrong["error"]["code"] == -32602


@requirement("module:lazy")
async def test_nothing_is_compiled_and_no_process_is_started_before_the_first_call(
    serve: Serve, plugins: Path, cache: Path
) -> None:
    fresh = module(ECHO + '(func (export "only_here_for_the_lazy_test") (result i32) (i32.const 0))')
    write_plugin(plugins, "p", fresh)

    def compiled() -> set[Path]:
        return set((cache / "cache" / "code").rglob("*"))

    async with serve() as server:
        before = compiled()
        assert len(await server.tools()) == 2
        assert (descendants(server.process.pid), compiled()) == ([], before)
        await server.call("p__echo")
        assert len(descendants(server.process.pid)) == 2
        assert compiled() > before

"""Hooks from real modules through the real server: each rule of ``docs/hooks.md``."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors import AgentMemError
from mcp_server.host import PluginHost
from mcp_server.memory.errors import HookFailed
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import Grant, Settings
from tests.conftest import Serve
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement
from tests.stdio_server import META, StdioServer, error_code, text_of

ROOT = Path(__file__).resolve().parents[2]
SPIN = '(func (export "run") (result i32) (loop $l (br $l)) (i32.const 0))'
TRAP = '(func (export "run") (result i32) unreachable)'


def hooked(plugins: Path, name: str, wasm: bytes, hooks: str, more: str = "") -> None:
    """A plugin whose only use are its hooks; it shows its exports as tools."""
    write_plugin(plugins, name, wasm, f"{more}\n[hooks]\n{hooks}\n")


def asking(function: str, request: str, answer: str) -> bytes:
    """A module whose ``run`` asks the host for ``request`` and answers ``answer``, whatever it is given."""

    def text(offset: int, value: str) -> str:
        escaped = "".join(f"\\{byte:02x}" for byte in value.encode())
        return f'(data (i32.const {offset}) "{escaped}")'

    copy = """(func $copy (param $from i32) (param $n i64) (result i64) (local $o i64) (local $i i64)
      (local.set $o (call $alloc (local.get $n)))
      (block $done (loop $next (br_if $done (i64.ge_u (local.get $i) (local.get $n)))
        (call $store (i64.add (local.get $o) (local.get $i))
          (i32.load8_u (i32.add (local.get $from) (i32.wrap_i64 (local.get $i)))))
        (local.set $i (i64.add (local.get $i) (i64.const 1))) (br $next)))
      (local.get $o))"""
    run = f"""(func (export "run") (result i32)
      (drop (call $ask (call $copy (i32.const 0) (i64.const {len(request)}))))
      (call $out (call $copy (i32.const 4096) (i64.const {len(answer)})) (i64.const {len(answer)})) (i32.const 0))"""
    imports = f'(import "agentmem" "{function}" (func $ask (param i64) (result i64)))'
    return module(text(0, request) + text(4096, answer) + copy + run, imports)


class Play:
    """A server with hooks: ``grants`` may hook."""

    def __init__(self, serve: Serve, folder: Path) -> None:
        self._serve, self.folder = serve, folder

    def __call__(self, *grants: str, arguments: tuple[str, ...] = (), more: str = "", **options: Any) -> Any:
        config = self.folder / "config.toml"
        lines = "".join(f"[grants.{name}]\nhooks = true\n" for name in grants)
        config.write_text(lines + more, encoding="utf-8")
        home = {"AGENTMEM_HOME": str(self.folder / "home"), **options.pop("environment", {})}
        return self._serve(arguments=["--config", str(config), *arguments], environment=home, **options)


@pytest.fixture
def play(serve: Serve, tmp_path: Path) -> Play:
    return Play(serve, tmp_path)


async def done(server: StdioServer, word: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    result = await server.call(f"memory__{word}", arguments)
    assert result["isError"] is False, result
    return result["structuredContent"]


async def contents(server: StdioServer) -> list[str]:
    return [memory["content"] for memory in (await done(server, "list", {}))["memories"]]


def figures(play: Play) -> dict[str, Any]:
    """What the first server that ended wrote for ``plugin stats``."""
    snapshots = [json.loads(path.read_text(encoding="utf-8")) for path in play.folder.rglob("servers/*.json")]
    return next(snapshot for snapshot in snapshots if snapshot["ended"])


@requirement("hooks:rewrite")
async def test_before_add_rewrites_what_a_client_and_what_another_plugin_store(play: Play, plugins: Path) -> None:
    changes = {"content": "clean", "metadata": {"by": "scrub"}, "memory_type": "core"}
    hooked(plugins, "scrub", answers(json.dumps(changes)), 'before_add = "run"')
    add = '{"content":"dirty"}'
    write_plugin(plugins, "notes", asking("add_memory", add, "{}"), '[capabilities]\nrequired = ["MemoryAccess"]')
    async with play("scrub", more='[grants.notes]\nmemories = "principal"\n') as server:
        added = await done(server, "add", {"content": "dirty", "agent_id": "a", "metadata": {"mine": 1}})
        memory = added["memory"]
        assert (memory["content"], memory["metadata"], memory["memory_type"]) == tuple(changes.values())
        assert memory["agent_id"] == "a"
        assert (await server.call("notes__run"))["isError"] is False
        assert await contents(server) == ["clean", "clean"]  # two agents


@requirement("hooks:rewrite")
async def test_a_hook_that_gives_back_what_it_was_given_or_nothing_changes_nothing(play: Play, plugins: Path) -> None:
    before = ["before_add", "before_search", "before_update", "before_delete"]
    points = [*before, "after_search", "after_add", "after_delete"]
    hooked(plugins, "mirror", module(ECHO), "\n".join(f'{point} = "echo"' for point in points))
    hooked(plugins, "silent", answers("null"), "\n".join(f'{point} = "run"' for point in points))
    closed = [f'{point} = {{ function = "echo", on_failure = "closed" }}' for point in [*before, "after_search"]]
    hooked(plugins, "strict", module(ECHO), "\n".join(closed))
    async with play("mirror", "silent", "strict") as server:
        asked = {
            "content": "tea",
            "metadata": {"a": [1, None]},
            "importance": 0.5,
            "expires_at": "2100-01-01T00:00:00Z",
        }
        memory = (await done(server, "add", asked))["memory"]
        assert memory["expires_at"] == "2100-01-01T00:00:00.000000Z"
        filters = {"importance": {"gte": 0.1}}
        (hit,) = (await done(server, "search", {"query": "tea", "filters": filters}))["results"]
        assert (hit["memory"], hit.get("annotations")) == (memory, None)
        assert (await done(server, "update", {"id": memory["id"], "importance": None}))["memory"]["importance"] is None
        assert (await done(server, "delete", {"id": memory["id"], "if_version": 2})) == {"deleted": True}


@requirement("hooks:rewrite")
async def test_before_search_replaces_the_query_and_only_narrows(play: Play, plugins: Path) -> None:
    wanted = {"query": "tea", "limit": 1, "filters": {"topic": "drinks"}}
    hooked(plugins, "guide", answers(json.dumps(wanted)), 'before_search = "run"')
    async with play("guide") as server:
        await done(server, "add", {"content": "tea bag", "metadata": {"topic": "bags"}})
        await done(server, "add", {"content": "green tea", "metadata": {"topic": "drinks"}})
        await done(server, "add", {"content": "black tea", "metadata": {"topic": "drinks", "hot": True}})
        found = await done(server, "search", {"query": "anything", "filters": {"hot": True}, "limit": 5})
        assert [result["memory"]["content"] for result in found["results"]] == ["black tea"]


@requirement("hooks:rewrite")
async def test_before_update_rewrites_the_change(play: Play, plugins: Path) -> None:
    hooked(plugins, "scrub", answers('{"content": "clean"}'), 'before_update = "run"')
    async with play("scrub") as server:
        memory = (await done(server, "add", {"content": "dirty"}))["memory"]
        assert memory["content"] == "dirty"
        assert (await done(server, "update", {"id": memory["id"], "content": "filth"}))["memory"]["content"] == "clean"


@requirement("hooks:veto")
@pytest.mark.parametrize("word", ["add", "search", "update", "delete"])
async def test_a_veto_ends_the_operation_with_its_reason_and_nothing_is_done(
    play: Play, plugins: Path, word: str
) -> None:
    hooked(plugins, "guard", answers('{"veto": "not on\\nSundays"}'), f'before_{word} = "run"')
    async with play() as server:
        memory = (await done(server, "add", {"content": "tea"}))["memory"]
    arguments = {"add": {"content": "new"}, "search": {"query": "tea"}}.get(word, {"id": memory["id"]})
    async with play("guard") as server:
        refused = await server.call(f"memory__{word}", {**arguments, **({"content": "x"} if word == "update" else {})})
        assert error_code(refused) == "hook_vetoed"
        assert text_of(refused).endswith(f"plugin 'guard' refused this (before_{word}): not on Sundays")
        assert "grants" not in text_of(refused)  # the operator's part
        assert await contents(server) == ["tea"]


@requirement("hooks:veto")
async def test_a_plugin_hears_the_veto_of_another_as_an_envelope(play: Play, plugins: Path) -> None:
    hooked(plugins, "guard", answers('{"veto": "no"}'), 'before_add = "run"')
    relay = module(
        '(func (export "add") (result i32) (local $o i64) (local.set $o (call $f (call $in)))'
        "(call $out (local.get $o) (call $length (local.get $o))) (i32.const 0))",
        '(import "agentmem" "add_memory" (func $f (param i64) (result i64)))',
    )
    write_plugin(plugins, "notes", relay, '[capabilities]\nrequired = ["MemoryAccess"]')
    async with play("guard") as server:
        envelope = (await server.call("notes__add", {"content": "x"}))["structuredContent"]
        assert (envelope["success"], envelope["metadata"]["code"]) == (False, "hook_vetoed")


@requirement("hooks:scope")
@pytest.mark.parametrize(
    ("point", "answer"),
    [
        ("before_add", {"user_id": "bob"}),
        ("before_add", {"agent_id": "other"}),
        ("before_add", {"space": "notes", "content": "y"}),
        ("before_add", {"principal": "bob"}),
        ("before_add", {"content": ""}),
        ("before_add", {"memory_type": "nonsense"}),
        ("before_add", ["x"]),
        ("before_search", {"filters": {"user_id": "bob"}}),
        ("before_search", {"include_expired": True}),
        ("before_search", {"agent_id": "other"}),
        ("before_search", {"limit": 101}),
        ("before_search", {"filters": []}),
        ("before_update", {"id": "other"}),
        ("before_update", {"if_version": 9}),
        ("before_delete", {"id": "other"}),
        ("after_search", {"results": ["somebody-elses"]}),
        ("after_search", {"results": [{"score": 1}]}),
        ("after_search", {"veto": "no"}),
        ("after_search", "text"),
    ],
)
async def test_an_answer_out_of_bounds_is_a_failure_of_the_hook_and_changes_nothing(
    plugins: Path, cache: Path, tmp_path: Path, point: str, answer: object
) -> None:
    word = point.partition("_")[2]
    hooked(plugins, "hook", answers(json.dumps(answer)), f'{point} = "run"')
    closed = f'{point} = {{ function = "run", on_failure = "closed" }}'
    hooked(plugins, "shut", answers(json.dumps(answer)), closed)

    def house(*grants: str) -> PluginHost:
        settings = Settings(grants={name: Grant(hooks=True) for name in grants})
        return PluginHost(settings, PluginFolders(plugins=(plugins,)), cache=cache / "cache", data=tmp_path / "data")

    async with house() as host:
        memory = (await host.call_tool("memory__add", {"content": "tea"})).structured["memory"]
    calls: dict[str, dict[str, Any]] = {
        "add": {"content": "new tea"},
        "search": {"query": "tea"},
        "update": {"id": memory["id"], "content": "tea"},
        "delete": {"id": memory["id"]},
    }
    async with house("shut") as host:
        with pytest.raises(HookFailed):
            await host.call_tool(f"memory__{word}", calls[word])
        assert [one["content"] for one in (await host.call_tool("memory__list", {})).structured["memories"]] == ["tea"]
    async with house("hook") as host:
        result = (await host.call_tool(f"memory__{word}", calls[word])).structured
        assert host.metrics()[f"hook:{point}"]["outcomes"] == {"hook_answer_refused": 1}
    if word == "add":
        assert (result["memory"]["content"], result["memory"]["agent_id"]) == ("new tea", None)
    if word == "search":
        assert [hit["memory"]["id"] for hit in result["results"]] == [memory["id"]]


@requirement("hooks:after-search")
async def test_after_search_drops_scores_and_annotates(play: Play, plugins: Path) -> None:
    async with play() as server:
        await done(server, "add", {"content": "green tea"})
        best = (await done(server, "add", {"content": "tea and tea"}))["memory"]
    verdict = {"results": [{"id": best["id"], "score": 0.25, "annotations": {"why": "twice"}}]}
    hooked(plugins, "judge", answers(json.dumps(verdict)), 'after_search = "run"')
    async with play("judge") as server:
        (hit,) = (await done(server, "search", {"query": "tea"}))["results"]
        assert (hit["memory"]["id"], hit["score"]) == (best["id"], 0.25)
        assert hit["annotations"] == {"judge": {"why": "twice"}}


@requirement("hooks:after")
async def test_after_hooks_run_later_in_order_with_what_was_done(play: Play, plugins: Path) -> None:
    for word in ("add", "update", "delete"):
        seen = asking("add_memory", f'{{"content":"saw {word}"}}', "null")
        hooked(plugins, f"witness-{word}", seen, f'after_{word} = "run"', '[capabilities]\nrequired = ["MemoryAccess"]')
    names = [f"witness-{word}" for word in ("add", "update", "delete")]
    more = "".join(f'[grants.{name}]\nhooks = true\nmemories = "principal"\n' for name in names)
    async with play(more=more) as server:
        memory = (await done(server, "add", {"content": "tea"}))["memory"]
        await done(server, "update", {"id": memory["id"], "content": "coffee"})
        await done(server, "delete", {"id": memory["id"]})
        assert (await done(server, "delete", {"id": memory["id"]})) == {"deleted": False}
        assert await server.close() == 0  # waits for what waits
    async with play() as server:
        assert await contents(server) == ["saw delete", "saw update", "saw add"]
    tools = figures(play)["tools"]
    assert {tools[f"{name}:after_{name.partition('-')[2]}"]["calls"] for name in names} == {1}


@requirement("hooks:order")
async def test_hooks_run_by_order_then_by_plugin_id(play: Play, plugins: Path) -> None:
    for name, order in (("last", 200), ("b", 100), ("a", 100), ("first", 1)):
        wasm = answers(json.dumps({"metadata": {"by": name}}))
        hooked(plugins, name, wasm, f'before_add = {{ function = "run", order = {order} }}')
    async with play("first", "a", "b", "last") as server:
        assert (await done(server, "add", {"content": "x"}))["memory"]["metadata"] == {"by": "last"}
    async with play("first", "a", "b") as server:
        assert (await done(server, "add", {"content": "y"}))["memory"]["metadata"] == {"by": "b"}


@requirement("hooks:budget")
async def test_a_hook_over_its_budget_is_stopped_and_passed_by_or_fails_the_operation(
    play: Play, plugins: Path
) -> None:
    hooked(plugins, "slow", module(SPIN), 'before_add = { function = "run", budget_ms = 30 }')
    shut = 'before_add = { function = "run", budget_ms = 30, on_failure = "closed" }'
    hooked(plugins, "shut", module(SPIN), shut)
    more = "".join(f"[plugins.{name}.limits]\nmax_instructions = 100000000000\n" for name in ("slow", "shut"))
    async with play("slow", more=more) as server:
        assert (await done(server, "add", {"content": "x"}))["duplicate"] is False
    async with play("shut", more=more) as server:
        refused = await server.call("memory__add", {"content": "y"})
        assert error_code(refused) == "hook_failed"
        assert "limit_hook_budget" in text_of(refused)
        assert "30 ms" in text_of(refused)
        assert await contents(server) == ["x"]


@requirement("hooks:failure")
@pytest.mark.parametrize("wasm", [module(TRAP), answers("{oops"), answers('{"content": 1e999}'), answers(b"\xff")])
async def test_a_trap_or_garbage_is_passed_by_or_fails_the_operation(play: Play, plugins: Path, wasm: bytes) -> None:
    hooked(plugins, "loose", wasm, 'before_add = "run"')
    hooked(plugins, "shut", wasm, 'before_add = { function = "run", on_failure = "closed" }')
    async with play("loose") as server:
        assert (await done(server, "add", {"content": "x"}))["memory"]["content"] == "x"
    async with play("shut") as server:
        assert error_code(await server.call("memory__add", {"content": "y"})) == "hook_failed"
        assert await contents(server) == ["x"]


@requirement("hooks:failure")
async def test_a_closed_hook_stays_closed_when_its_plugin_is_stopped_by_a_bad_version(
    play: Play, plugins: Path
) -> None:
    hooked(plugins, "shut", answers("null"), 'before_add = { function = "run", on_failure = "closed" }')
    async with play("shut") as server:
        assert (await done(server, "add", {"content": "x"}))["duplicate"] is False
        (plugins / "shut" / "shut.wasm").write_bytes(b"broken")
        os.kill(server.process.pid, signal.SIGHUP)
        for _ in range(20):  # the old version goes on serving, so nothing changes
            assert (await done(server, "add", {"content": "x"}))["duplicate"] is True


@requirement("hooks:breaker")
async def test_a_hook_that_keeps_failing_is_held_back_open_or_closed(play: Play, plugins: Path) -> None:
    hooked(plugins, "loose", module(TRAP), 'before_search = "run"')
    hooked(plugins, "shut", module(TRAP), 'before_add = { function = "run", on_failure = "closed" }')
    async with play("loose", "shut") as server:
        for _ in range(8):
            assert (await done(server, "search", {"query": "x"}))["results"] == []
            assert error_code(await server.call("memory__add", {"content": "y"})) == "hook_failed"
        assert "held back" in text_of(await server.call("memory__add", {"content": "y"}))
        assert await server.close() == 0
    shown = figures(play)
    assert shown["tools"]["loose:before_search"]["calls"] == 5
    assert shown["tools"]["shut:before_add"]["calls"] == 5
    assert shown["hooks"]["held_back"] == ["loose:before_search", "shut:before_add"]


@requirement("hooks:no-reentry")
async def test_the_memory_operations_of_a_hook_start_no_hooks(play: Play, plugins: Path) -> None:
    echoing = asking("add_memory", '{"content":"from the hook"}', "null")
    hooked(plugins, "eager", echoing, 'before_add = "run"', '[capabilities]\nrequired = ["MemoryAccess"]')
    more = '[grants.eager]\nhooks = true\nmemories = "principal"\n'
    async with play(more=more) as server:
        await done(server, "add", {"content": "x"})
        assert sorted(await contents(server)) == ["from the hook", "x"]
        assert await server.close() == 0
    assert figures(play)["tools"]["eager:before_add"]["calls"] == 1


@requirement("hooks:granted")
async def test_without_the_grant_the_plugin_serves_and_its_hooks_do_not_run(play: Play, plugins: Path) -> None:
    hooked(plugins, "guard", answers('{"veto": "no"}'), 'before_add = "run"')
    async with play() as server:
        assert "guard__run" in await server.tools()
        assert (await done(server, "add", {"content": "x"}))["memory"]["content"] == "x"
    denied = '[grants.guard]\nhooks = true\ndeny = ["MemoryAccess"]\n'
    async with play(more=denied) as server:
        assert (await done(server, "add", {"content": "y"}))["memory"]["content"] == "y"


@requirement("hooks:granted")
async def test_a_plugin_without_the_grant_is_shown_with_the_line_to_add(plugins: Path, cache: Path) -> None:
    hooked(plugins, "guard", answers("null"), 'before_add = "run"\nafter_search = "run"')
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache / "cache") as host:
        (note,) = host.registry.get("guard").notes
    line = "or add to the server's configuration: [grants.guard] hooks = true"
    told = f"run `agentmem-mcp plugin grant guard --hooks`, {line}"
    assert note == f"its hooks before_add, after_search do not run; {told}"


@requirement("hooks:granted")
async def test_hooks_that_a_denial_of_memories_keeps_from_running_say_so(plugins: Path, cache: Path) -> None:
    hooked(plugins, "guard", answers("null"), 'before_add = "run"')
    settings = Settings.model_validate({"grants": {"guard": {"hooks": True, "deny": ["MemoryAccess"]}}})
    async with PluginHost(settings, PluginFolders(plugins=(plugins,)), cache=cache / "cache") as host:
        (note, *_) = host.registry.get("guard").notes
    assert note.startswith('its hooks before_add do not run; "MemoryAccess" stands in deny of [grants.guard]')
    assert "--hooks" not in note


@requirement("hooks:after-search")
async def test_the_example_plugin_puts_words_that_belong_together_first(serve: Serve, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[grants.memory-processor]\nhooks = true\n", encoding="utf-8")
    arguments = ["--config", str(config), "--manifests", str(ROOT / "manifests")]
    home = {"AGENTMEM_HOME": str(tmp_path / "home")}
    async with serve(ROOT / "plugins", arguments=arguments, environment=home) as server:
        added = await done(server, "add", {"content": "  Ann drinks   green tea every day at her desk !!!! "})
        assert added["memory"]["content"].startswith("Ann drinks green tea every day")
        assert "word_count" in added["memory"]["metadata"]
        await done(server, "add", {"content": "The green bike and the green door, and tea, tea and tea"})
        results = (await done(server, "search", {"query": "green tea", "explain": True}))["results"]
        by_words = sorted(results, key=lambda one: -one["explanation"]["score"])
        assert [one["memory"]["id"] for one in results] == [one["memory"]["id"] for one in reversed(by_words)]
        assert results[0]["annotations"] == {"memory-processor": {"phrases": ["green tea"]}}


@requirement("hooks:no-reentry")
async def test_hooks_count_as_nesting(plugins: Path, cache: Path, tmp_path: Path) -> None:
    shut = 'before_add = { function = "run", on_failure = "closed" }'
    hooked(plugins, "shut", answers("null"), shut, "[limits]\nmax_recursion = 1")
    settings = Settings(grants={"shut": Grant(hooks=True)})
    folders = PluginFolders(plugins=(plugins,))
    async with PluginHost(settings, folders, cache=cache / "cache", data=tmp_path / "data") as host:
        with pytest.raises(HookFailed, match="limit_recursion"):
            await host.call_tool("memory__add", {"content": "x"})


@requirement("hooks:failure")
async def test_a_closed_hook_stays_closed_while_its_plugin_is_in_error(
    plugins: Path, cache: Path, tmp_path: Path
) -> None:
    hooked(plugins, "shut", answers("null"), 'before_add = { function = "run", on_failure = "closed" }')
    settings = Settings(grants={"shut": Grant(hooks=True)})
    folders = PluginFolders(plugins=(plugins,))
    async with PluginHost(settings, folders, cache=cache / "cache", data=tmp_path / "data") as host:
        assert (await host.call_tool("memory__add", {"content": "x"})).structured["duplicate"] is False
        (plugins / "shut" / "shut.wasm").write_bytes(b"broken")
        with pytest.raises(AgentMemError):
            host.restart("shut")
        with pytest.raises(HookFailed, match="plugin_unavailable"):
            await host.call_tool("memory__add", {"content": "y"})


@requirement("hooks:granted")
@pytest.mark.parametrize(
    ("hooks", "problem"),
    [
        ('before_add = "nothing"', "has no callable export 'nothing'"),
        ('after_add = { function = "run", on_failure = "closed" }', "cannot be closed"),
        ('before_add = { function = "run", budget_ms = 0 }', "hooks.before_add.budget_ms"),
        ('before_add = { function = "run", budget = 5 }', "did you mean 'budget_ms'?"),
        ("before_add = {}", "hooks.before_add.function"),
        ("before_add = 5", "hooks.before_add"),
    ],
)
async def test_a_hook_that_cannot_work_holds_its_plugin_back(
    plugins: Path, cache: Path, hooks: str, problem: str
) -> None:
    hooked(plugins, "guard", answers("null"), hooks)
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache / "cache") as host:
        error = host.registry.get("guard").error
    assert error is not None
    assert problem in error.message


@requirement("hooks:reload")
async def test_a_reload_while_hooks_run_fails_no_operation_and_skips_no_hook(play: Play, plugins: Path) -> None:
    def version(number: int) -> bytes:
        return answers(json.dumps({"metadata": {"version": number}}))

    closed = 'before_add = { function = "run", on_failure = "closed", budget_ms = 5000 }'
    hooked(plugins, "stamp", version(0), closed)
    async with play("stamp") as server:
        await server.tools()  # it has started, and knows what SIGHUP means
        number = 0
        for round_ in range(1, 6):
            ids: list[str] = []
            for _ in range(20):
                number += 1
                ids.append(f"c{number}")
                call = {"name": "memory__add", "arguments": {"content": f"note {number}"}}
                await server.send(
                    {"jsonrpc": "2.0", "id": ids[-1], "method": "tools/call", "params": {**call, "_meta": META}}
                )
                if len(ids) == 10:
                    (plugins / "stamp" / "stamp.wasm").write_bytes(version(round_))
                    os.kill(server.process.pid, signal.SIGHUP)
            for identifier in ids:
                result = (await server.answer(identifier))["result"]
                assert result["isError"] is False, result
                assert result["structuredContent"]["memory"]["metadata"]["version"] in (round_ - 1, round_)
        assert number == 100

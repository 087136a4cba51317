"""``PluginHost`` in a program of one's own: no MCP, the same walls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_server.errors import (
    AgentMemError,
    FunctionMissing,
    LimitExceeded,
    OutputInvalid,
    PluginNotFound,
    PluginTrapped,
    PluginUnavailable,
    SettingsError,
)
from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.registry.lifecycle import State
from mcp_server.settings import Settings
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement
from tests.runtime.plugins import host_on, is_alive, mixed

# Traps when its input begins with a t, loops when it begins with an l, else echoes.
PICKY = module(
    """
  (func (export "pick") (result i32) (local $first i32)
    (local.set $first (call $byte (i64.const 0)))
    (if (i32.eq (local.get $first) (i32.const 0x74)) (then unreachable))
    (if (i32.eq (local.get $first) (i32.const 0x6c))
      (then (loop $again (drop (memory.grow (i32.const 0))) (br $again))))
    (call $out (call $in) (call $len))
    (i32.const 0))""",
    '(import "extism:host/env" "input_load_u8" (func $byte (param i64) (result i32)))',
)
LIMITS = "[limits]\nmax_input_bytes = 1_000\nmax_execution_time_ms = 400"


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncIterator[PluginHost]:
    mixed(plugins)
    write_plugin(plugins, "picky", PICKY, LIMITS)
    write_plugin(plugins, "text", answers("plain text"))
    write_plugin(plugins, "latin", answers(b"caf\xe9"))
    write_plugin(plugins, "broken", b"\0asm")
    async with host_on(plugins, cache, max_workers=1) as host:
        yield host


@requirement("library:builder")
async def test_plugins_are_added_one_by_one_or_by_folder(tmp_path: Path, cache: Path) -> None:
    bundle = write_plugin(tmp_path / "one", "bundle", module(ECHO))
    manifest = write_plugin(tmp_path / "two", "manifest", module(ECHO)) / "plugin.toml"
    lone = write_plugin(tmp_path / "three", "lone", module(ECHO)) / "lone.wasm"
    (lone.parent / "plugin.toml").unlink()
    write_plugin(tmp_path / "four", "folder", module(ECHO))
    apart = write_plugin(tmp_path / "manifests", "apart", module(ECHO))
    (tmp_path / "four" / "apart").mkdir()
    (apart / "apart.wasm").rename(tmp_path / "four" / "apart" / "apart.wasm")
    built = (
        PluginHost(cache=cache / "cache")
        .with_plugin(bundle)
        .with_plugin(str(manifest))
        .with_plugin(lone)
        .load_plugins_from_dir(tmp_path / "four", tmp_path / "manifests")
    )
    async with built as host:
        assert sorted(record.id for record in host.list_plugins()) == ["apart", "bundle", "folder", "lone", "manifest"]
        for record in host.list_plugins():
            assert await host.call(record.id, "echo", {"for": record.id}) == {"for": record.id}


@requirement("library:builder")
async def test_a_plugin_that_is_named_and_missing_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no plugin at"):
        async with PluginHost(cache=tmp_path).with_plugin(tmp_path / "nothing"):
            pytest.fail("it started")


@requirement("library:call")
@pytest.mark.parametrize("value", [{"a": [1, None, "ü"]}, [1, 2], "word", 7, True, 1.5])
async def test_a_json_value_goes_in_and_comes_out(host: PluginHost, value: Any) -> None:
    assert await host.call("mixed", "echo", value) == value


@requirement("library:call")
async def test_bytes_go_in_as_they_are_and_text_that_is_no_json_comes_out_as_text(host: PluginHost) -> None:
    assert await host.call("mixed", "echo", b'{"raw": 1}') == {"raw": 1}
    assert await host.call("mixed", "echo", b"just words") == "just words"
    assert await host.call("mixed", "echo") == ""
    assert await host.call("text", "run") == "plain text"
    with pytest.raises(OutputInvalid):
        await host.call("latin", "run")


@requirement("library:call")
async def test_what_cannot_be_called_says_why(host: PluginHost) -> None:
    with pytest.raises(PluginNotFound, match="there is no plugin 'nobody'; known: broken, "):
        await host.call("nobody", "echo")
    with pytest.raises(FunctionMissing, match="plugin 'mixed' has no callable function 'sing'"):
        await host.call("mixed", "sing")
    with pytest.raises(PluginUnavailable, match="plugin 'broken' is Error: "):
        await host.call("broken", "run")
    assert host.stats()["plugins"]["mixed"]["state"] == "Loaded"  # none of that started anything


@requirement("library:many")
async def test_a_batch_gives_each_item_its_output_or_its_error_in_order(host: PluginHost) -> None:
    results = await host.call_many("picky", "pick", [b"one", b"trap", b"second", b"trap", b"end"])
    assert [type(item) if isinstance(item, AgentMemError) else item for item in results] == [
        "one",
        PluginTrapped,
        "second",
        PluginTrapped,
        "end",
    ]


@requirement("library:many")
async def test_a_batch_that_is_stopped_at_its_deadline_keeps_what_was_done(host: PluginHost) -> None:
    with anyio.fail_after(40):
        results = await host.call_many("picky", "pick", [b"one", b"second", b"loop", b"next", b"end"])
    assert results[:2] == ["one", "second"]
    assert [item.error_code for item in results[2:]] == ["limit_execution_time"] * 3
    assert await host.call_many("picky", "pick", [b"again"]) == ["again"]


@requirement("library:many")
async def test_a_batch_larger_than_any_buffer_comes_back_whole(host: PluginHost) -> None:
    inputs = [{"n": n, "text": "x" * (n * 37 % 4_000)} for n in range(1_000)]
    assert await host.call_many("mixed", "echo", inputs) == inputs
    large = ["y" * 200_000, "", "z" * 200_000]
    assert await host.call_many("mixed", "echo", large) == large


@requirement("library:many")
async def test_an_empty_batch_is_an_empty_list(host: PluginHost) -> None:
    assert await host.call_many("mixed", "echo", []) == []


@requirement("library:many")
async def test_the_input_limit_holds_for_each_item_of_a_batch(host: PluginHost) -> None:
    fits, too_long = b"x" * 1_000, b"x" * 1_001
    assert await host.call_many("picky", "pick", [fits, fits]) == ["x" * 1_000] * 2
    with pytest.raises(LimitExceeded, match="max_input_bytes = 1000 bytes .* used 1001 bytes"):
        await host.call_many("picky", "pick", [fits, too_long, fits])


@requirement("library:many")
async def test_a_cancelled_batch_stops_and_frees_its_slot(host: PluginHost) -> None:
    with anyio.move_on_after(0.05) as scope:
        await host.call_many("picky", "pick", [b"loop"] * 100)
    assert scope.cancelled_caught
    with anyio.fail_after(40):
        assert await host.call("picky", "pick", b"next") == "next"
    assert host.stats()["plugins"]["picky"]["crashes"] == 0


@requirement("library:look")
async def test_plugins_are_listed_with_their_state_and_their_reason(host: PluginHost) -> None:
    states = {
        record.id: (record.shown_state, record.error and record.error.error_code) for record in host.list_plugins()
    }
    assert states["mixed"] == (State.LOADED, None)
    assert states["broken"] == (State.ERROR, "module_invalid")
    await host.call("mixed", "echo", {})
    assert host.registry.get("mixed").shown_state is State.RUNNING


@requirement("library:look")
async def test_metrics_count_calls_of_tools_by_their_outcome(host: PluginHost) -> None:
    await host.call_tool("mixed__echo", {"a": 1})
    for _ in range(2):
        with pytest.raises(PluginTrapped):
            await host.call_tool("mixed__trap", {})
    metrics = host.metrics()
    echo, trap = metrics["mixed__echo"], metrics["mixed__trap"]
    assert (echo["calls"], echo["outcomes"], echo["output_bytes"]) == (1, {"ok": 1}, len('{"a":1}'))
    assert (trap["calls"], trap["outcomes"]) == (2, {"plugin_trapped": 2})
    assert 0 < echo["execute_ms"]["max"] <= echo["total_ms"]["max"]


@requirement("library:look")
async def test_stats_tell_of_each_plugin_its_state_workers_crashes_and_memory(host: PluginHost) -> None:
    await host.call("mixed", "echo", {})
    stats = host.stats()["plugins"]["mixed"]
    (worker,) = stats["workers"]
    assert is_alive(worker["pid"])
    assert worker["walls"]["rlimits"] is True
    assert (stats["state"], stats["in_flight"], stats["crashes"], stats["quarantined"]) == ("Running", 0, 0, False)
    assert stats["memory_peak_bytes"] > 1_000_000


@requirement("library:look")
async def test_a_reload_tells_which_plugins_changed_and_listeners_hear_of_it(host: PluginHost, plugins: Path) -> None:
    heard: list[str] = []
    host.changed.append(lambda: heard.append("changed"))
    assert host.reload() == set()
    write_plugin(plugins, "new", module(ECHO))
    write_plugin(plugins, "text", answers("other text"))
    assert host.reload() == {"new", "text"}
    assert heard == ["changed"]
    assert await host.call("text", "run") == "other text"


@requirement("library:end")
async def test_leaving_the_host_ends_its_processes_and_its_calls(plugins: Path, cache: Path) -> None:
    mixed(plugins)
    ends: list[str] = []
    processes: list[int] = []
    async with anyio.create_task_group() as tasks, host_on(plugins, cache) as host:

        async def wait() -> None:
            with pytest.raises(PluginUnavailable, match="plugin 'mixed' was stopped"):
                await host.call("mixed", "loop")
            ends.append("told")

        await host.warm("mixed")
        processes += [worker["pid"] for worker in host.stats()["plugins"]["mixed"]["workers"]]
        processes.append(host.fleet.launcher.pid or 0)
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
    assert ends == ["told"]
    assert [is_alive(pid) for pid in processes] == [False, False]


@requirement("library:end")
async def test_an_error_in_the_body_leaves_as_it_is(plugins: Path, cache: Path) -> None:
    mixed(plugins)
    with pytest.raises(KeyError, match="mine"):  # not wrapped into a group
        async with host_on(plugins, cache) as host:
            await host.call("mixed", "echo", {})
            raise KeyError("mine")


@requirement("library:end")
async def test_two_hosts_in_one_program_do_not_know_each_other(plugins: Path, cache: Path) -> None:
    mixed(plugins)
    async with host_on(plugins, cache) as first, host_on(plugins, cache) as second:
        assert await first.call("mixed", "echo", {"n": 1}) == {"n": 1}
        assert await second.call("mixed", "echo", {"n": 2}) == {"n": 2}
        first.stop("mixed")
        assert await second.call("mixed", "echo", {"n": 3}) == {"n": 3}


@requirement("library:end")
async def test_a_host_without_plugins_is_a_host(tmp_path: Path) -> None:
    async with PluginHost(Settings(), PluginFolders(), cache=tmp_path) as host:
        assert (host.list_plugins(), host.metrics(), host.reload()) == ([], {}, set())

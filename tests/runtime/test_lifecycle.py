"""``initialize(config)``, ``start``, ``warmup`` and ``stop``: when each is called, in every isolation mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from mcp_server.errors import AgentMemError, LifecycleError, LoadFailed, ModuleError, PluginFailed, PluginUnavailable
from mcp_server.host import PluginHost
from mcp_server.registry.lifecycle import TRANSITIONS, State, advance
from mcp_server.tools.invoke import Caller
from tests.conftest import plugin_tools
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement
from tests.runtime.plugins import host_on, is_alive

IMPORTS = '(import "extism:host/user" "log" (func $log (param i64) (result i64)))'
WORDS = ("initialize", "start", "warmup", "stop", "run")


def say(word: str, at: int) -> str:
    """The function ``word``, which logs its own name; `initialize` logs its input, which is the configuration."""
    size = len(f'{{"message":"{word}"}}')
    told = "(drop (call $log (call $input)))" if word == "initialize" else ""
    return f"""
  (data (i32.const {at}) "{{\\"message\\":\\"{word}\\"}}")
  (func (export "{word}") (result i32)
    (drop (call $log (call $text (i32.const {at}) (i32.const {size}))))
    {told}
    (i32.const 0))"""


RECORDER = module(
    """
  (func $text (param $from i32) (param $size i32) (result i64) (local $block i64) (local $i i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $size))))
    (loop $next
      (call $store
        (i64.add (local.get $block) (i64.extend_i32_u (local.get $i)))
        (i32.load8_u (i32.add (local.get $from) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $size))))
    (local.get $block))
  (func $input (result i64) (local $block i64) (local $i i64)
    (local.set $block (call $alloc (call $len)))
    (block $done
      (loop $next
        (br_if $done (i64.ge_u (local.get $i) (call $len)))
        (call $store (i64.add (local.get $block) (local.get $i)) (call $byte (local.get $i)))
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br $next)))
    (local.get $block))"""
    + "".join(say(word, 64 * at) for at, word in enumerate(WORDS))
    + '(func (export "trap") (result i32) unreachable)',
    f'{IMPORTS} (import "extism:host/env" "input_load_u8" (func $byte (param i64) (result i32)))',
)
# What `initialize` logs of its input: the configuration is a log request of its own.
RIGHTS = """
[capabilities]
required = ["LoggingAccess", "ConfigAccess"]
[config]
message = "configured"
"""
REFUSES = module(
    f"""
  {ECHO}
  (data (i32.const 0) "no key")
  (func (export "initialize") (result i32) (local $block i64) (local $i i64)
    (local.set $block (call $alloc (i64.const 6)))
    (loop $next
      (call $store (i64.add (local.get $block) (local.get $i)) (i32.load8_u (i32.wrap_i64 (local.get $i))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $i) (i64.const 6))))
    (call $err (local.get $block))
    (i32.const 1))"""
)
BEGIN = ["initialize", "configured", "start"]


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncIterator[PluginHost]:
    for isolation in ("call", "session", "shared"):
        write_plugin(plugins, isolation, RECORDER, f'[runtime]\nisolation = "{isolation}"{RIGHTS}')
    write_plugin(plugins, "refuses", REFUSES)
    write_plugin(plugins, "plain", module(ECHO))
    async with host_on(plugins, cache, max_workers=1) as host:
        yield host


async def told(host: PluginHost, plugin: str, session: str = "", principal: str = "local") -> list[str]:
    """What one call logs."""
    lines: list[str] = []
    caller = Caller(principal, session, log=lambda line: lines.append(line.message))
    with anyio.fail_after(40):
        await host.call(plugin, "run", caller=caller)
    return lines


@requirement("lifecycle:order")
async def test_a_fresh_instance_is_initialized_started_called_and_stopped_in_each_call(host: PluginHost) -> None:
    for _ in range(3):
        assert await told(host, "call") == [*BEGIN, "run", "stop"]


@requirement("lifecycle:order")
async def test_a_pooled_instance_is_begun_once_and_warmed_up(host: PluginHost) -> None:
    assert await told(host, "shared") == [*BEGIN, "warmup", "run"]
    for _ in range(3):
        assert await told(host, "shared") == ["run"]


@requirement("lifecycle:order")
async def test_each_session_of_each_principal_has_an_instance_of_its_own(host: PluginHost) -> None:
    first = [*BEGIN, "warmup", "run"]
    assert await told(host, "session", "a") == first
    assert await told(host, "session", "b") == first
    assert await told(host, "session", "a", principal="another") == first
    for session, principal in (("a", "local"), ("b", "local"), ("a", "another")):
        assert await told(host, "session", session, principal) == ["run"]


@requirement("lifecycle:order")
@pytest.mark.parametrize("plugin", ["session", "shared"])
async def test_after_a_trap_the_next_instance_is_begun_anew(host: PluginHost, plugin: str) -> None:
    await told(host, plugin)
    with pytest.raises(AgentMemError):
        await host.call(plugin, "trap")
    assert await told(host, plugin) == [*BEGIN, "warmup", "run"]


@requirement("lifecycle:order")
async def test_an_initialize_that_says_no_is_the_error_of_the_call_and_the_function_does_not_run(
    host: PluginHost,
) -> None:
    for _ in range(2):
        with pytest.raises(PluginFailed, match="no key"):
            await host.call("refuses", "echo", {"a": 1})


@requirement("lifecycle:order")
async def test_lifecycle_functions_are_no_tools(host: PluginHost) -> None:
    shown = {name.partition("__")[2] for name in plugin_tools(host)}
    assert shown == {"run", "trap", "echo"}


@requirement("lifecycle:warm")
async def test_a_warmed_plugin_has_a_worker_before_its_first_call(host: PluginHost) -> None:
    assert host.stats()["plugins"]["plain"]["state"] == "Loaded"
    facts = await host.warm("plain")
    assert facts["load_ns"] > 0
    (worker,) = host.stats()["plugins"]["plain"]["workers"]
    assert (host.stats()["plugins"]["plain"]["state"], is_alive(worker["pid"])) == ("Running", True)
    await host.warm("plain")
    assert [worker["pid"] for worker in host.stats()["plugins"]["plain"]["workers"]] == [worker["pid"]]


@requirement("lifecycle:states")
async def test_a_stopped_plugin_answers_that_it_is_stopped_until_it_is_restarted(host: PluginHost) -> None:
    await host.call("plain", "echo", {})
    host.stop("plain")
    assert "plain__echo" not in host.catalog.tools
    with pytest.raises(PluginUnavailable, match="plugin 'plain' is Stopped"):
        await host.call("plain", "echo", {})
    host.reload()  # a look at the folders does not undo what a person did
    assert host.registry.get("plain").state is State.STOPPED
    with pytest.raises(LifecycleError, match="plugin 'plain' is Stopped and cannot become Stopped"):
        host.stop("plain")
    host.restart("plain")
    assert await host.call("plain", "echo", {"a": 1}) == {"a": 1}
    assert "plain__echo" in host.catalog.tools


@requirement("lifecycle:states")
async def test_a_plugin_that_fails_to_restart_is_in_error_and_can_be_tried_again(
    host: PluginHost, plugins: Path
) -> None:
    path = plugins / "plain" / "plain.wasm"
    good = path.read_bytes()
    path.write_bytes(b"\0asm")
    with pytest.raises(ModuleError):
        host.restart("plain")
    record = host.registry.get("plain")
    assert (record.state, isinstance(record.error, ModuleError)) == (State.ERROR, True)
    assert "plain__echo" not in host.catalog.tools
    path.write_bytes(good)
    host.restart("plain")
    assert await host.call("plain", "echo", {"a": 1}) == {"a": 1}


@requirement("lifecycle:states")
async def test_a_module_the_engine_refuses_is_a_load_error_of_each_call(plugins: Path, cache: Path) -> None:
    # A function that promises an i32 and leaves nothing: well-formed for a reader, invalid for an engine.
    body = bytes.fromhex("0061736d0100000001050160000 17f0302010007070103 72756e00000a040102000b".replace(" ", ""))
    write_plugin(plugins, "invalid", body)
    async with host_on(plugins, cache) as host:
        for _ in range(3):
            with pytest.raises(LoadFailed, match="plugin 'invalid' cannot be loaded"):
                await host.call("invalid", "run")
        assert host.stats()["plugins"]["invalid"]["crashes"] == 0


@requirement("lifecycle:states")
@pytest.mark.parametrize("state", State)
def test_a_state_becomes_what_the_table_says_and_nothing_else(state: State) -> None:
    for to in State:
        if to in TRANSITIONS[state]:
            assert advance("some", state, to) is to
        else:
            with pytest.raises(LifecycleError, match=f"plugin 'some' is {state} and cannot become {to}"):
                advance("some", state, to)


@requirement("lifecycle:states")
def test_every_state_can_be_reached_and_every_living_one_can_fail_and_go() -> None:
    reached = {to for targets in TRANSITIONS.values() for to in targets}
    assert reached | {State.REGISTERED} == set(State)
    assert TRANSITIONS[State.UNREGISTERED] == frozenset()
    for state in set(State) - {State.ERROR, State.UNREGISTERED}:
        assert {State.ERROR, State.UNREGISTERED} <= TRANSITIONS[state]
    assert {State.LOADING, State.UNREGISTERED} <= TRANSITIONS[State.ERROR]

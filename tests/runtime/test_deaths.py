"""Processes that die: workers, the forkserver, the server. A death costs the calls that were in it, and no other."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from mcp_server.errors import AgentMemError, IntegrityError, LimitExceeded, PluginCrashed, PluginUnavailable
from mcp_server.host import PluginHost
from mcp_server.registry.lifecycle import State
from mcp_server.runtime.runner import PluginRunner
from mcp_server.worker.ahead import start_ahead
from tests.conftest import Serve
from tests.guests import ECHO, module, wat, write_plugin
from tests.hostile.den import hostile
from tests.requirements import requirement
from tests.runtime.plugins import children_of, host_on, is_alive, mixed

LOGS = '[capabilities]\nrequired = ["LoggingAccess"]'
# The forged request of tests/hostile, in the start section: the worker dies while it loads the module.
DIES_AT_LOAD = wat(
    """(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/user" "log" (func $log (param i64) (result i64)))
  (func $begin (local $block i64)
    (local.set $block (call $alloc (i64.const 16)))
    (call $store (i64.sub (local.get $block) (i64.const 2)) (i32.const 0x80))
    (drop (call $log (local.get $block))))
  (start $begin)
  (func (export "run") (result i32) (i32.const 0)))"""
)


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncIterator[PluginHost]:
    mixed(plugins)
    mixed(plugins, "other")
    write_plugin(plugins, "dies", hostile("forged-request"), LOGS)
    write_plugin(plugins, "dies-at-load", DIES_AT_LOAD, LOGS)
    async with host_on(plugins, cache, max_workers=2, idle_seconds=600) as host:
        yield host


def runner_of(host: PluginHost, plugin: str) -> PluginRunner:
    runner = host.registry.get(plugin).runner
    assert runner is not None
    return runner


def pids(host: PluginHost, plugin: str) -> list[int]:
    return [worker.pid for worker in runner_of(host, plugin).workers if worker.pid]


async def until_dead(*dying: int) -> None:
    with anyio.fail_after(40):
        while any(is_alive(pid) for pid in dying):
            await anyio.lowlevel.checkpoint()


async def until_served(host: PluginHost, plugin: str) -> None:
    """A held-back plugin says when it may be tried again; try until it answers."""
    with anyio.fail_after(20):
        while True:
            try:
                assert await host.call(plugin, "echo", {"again": 1}) == {"again": 1}
            except (PluginUnavailable, PluginCrashed):
                await anyio.lowlevel.checkpoint()
            else:
                return


@requirement("deaths:worker")
async def test_a_killed_worker_costs_its_calls_a_typed_error_and_the_next_call_gets_a_new_one(
    host: PluginHost,
) -> None:
    errors: list[AgentMemError] = []

    async def wait() -> None:
        with pytest.raises(PluginCrashed, match="died during loop \\(SIGKILL\\); the next call gets a new one") as dead:
            await host.call("mixed", "loop")
        errors.append(dead.value)

    await host.warm("mixed")
    (pid,) = pids(host, "mixed")
    with anyio.fail_after(40):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(wait)
            while runner_of(host, "mixed").in_flight < 3:
                await anyio.lowlevel.checkpoint()
            os.kill(pid, signal.SIGKILL)
        assert len(errors) == 3
        assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
    assert runner_of(host, "mixed").in_flight == 0
    assert host.stats()["plugins"]["mixed"]["crashes"] == 1
    assert pids(host, "mixed") != [pid]


@requirement("deaths:worker")
async def test_workers_killed_at_random_under_load_lose_nothing_but_what_ran_in_them(host: PluginHost) -> None:
    seed = 20_261_123
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    outcomes: Counter[str] = Counter()
    others = 0
    done = anyio.Event()

    async def keep_calling(who: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            sent = {"who": who, "number": number}
            try:
                assert await host.call("mixed", "echo", sent) == sent
                outcomes["ok"] += 1
            except (PluginCrashed, PluginUnavailable) as error:
                outcomes[error.error_code] += 1
                await anyio.lowlevel.checkpoint()

    async def keep_calling_other() -> None:
        nonlocal others
        while not done.is_set():
            others += 1
            assert await host.call("other", "echo", {"n": others}) == {"n": others}

    with anyio.fail_after(40):
        async with anyio.create_task_group() as tasks:
            for who in range(10):
                tasks.start_soon(keep_calling, who)
            tasks.start_soon(keep_calling_other)
            for _ in range(3):
                goal = outcomes["ok"] + chance.randrange(50, 500)
                while outcomes["ok"] < goal:
                    await anyio.lowlevel.checkpoint()
                os.kill(chance.choice(pids(host, "mixed")), signal.SIGKILL)
            goal = others + 50
            while others < goal:
                await anyio.lowlevel.checkpoint()
            done.set()
    assert runner_of(host, "mixed").crashes.total in {1, 2, 3}  # two deaths may be of one worker generation
    await until_served(host, "mixed")
    assert set(outcomes) <= {"ok", "plugin_crashed", "plugin_unavailable"}, f"seed {seed}"


@requirement("deaths:forkserver")
async def test_the_death_of_the_forkserver_is_one_typed_error_and_another_one_is_started(host: PluginHost) -> None:
    await host.warm("mixed")
    await host.warm("other")
    forkserver = host.fleet.launcher.pid
    assert forkserver is not None
    workers = [*pids(host, "mixed"), *pids(host, "other")]

    async def wait() -> None:
        with pytest.raises(PluginCrashed):
            await host.call("mixed", "loop")

    with anyio.fail_after(40):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            while not runner_of(host, "mixed").in_flight:
                await anyio.lowlevel.checkpoint()
            os.kill(forkserver, signal.SIGKILL)
    await until_dead(forkserver, *workers)
    for plugin in ("mixed", "other"):
        await until_served(host, plugin)
    assert host.fleet.launcher.pid not in {None, forkserver}


def parent_ahead() -> int:
    others = set(children_of(os.getpid()))
    start_ahead()
    (early,) = set(children_of(os.getpid())) - others
    return early


@requirement("opening:ahead")
async def test_a_parent_that_died_before_it_was_asked_is_replaced(host: PluginHost) -> None:
    early = parent_ahead()
    os.kill(early, signal.SIGKILL)
    await until_dead(early)
    await host.warm("mixed")
    assert host.fleet.launcher.pid not in {None, early}


@requirement("opening:ahead")
async def test_a_parent_that_was_started_ahead_is_the_launchers(host: PluginHost) -> None:
    early = parent_ahead()
    await host.warm("mixed")
    assert host.fleet.launcher.pid == early


@requirement("deaths:server")
async def test_a_killed_server_leaves_no_forkserver_and_no_worker(serve: Serve, plugins: Path) -> None:
    mixed(plugins)
    write_plugin(plugins, "stops", module(f'{ECHO} (func (export "stop") (result i32) (i32.const 0))'))
    async with serve() as server:
        await server.call("mixed__echo")
        await server.call("stops__echo")
        (forkserver,) = children_of(server.process.pid)
        workers = children_of(forkserver)
        assert len(workers) == 2
        os.kill(server.process.pid, signal.SIGKILL)
        await until_dead(forkserver, *workers)


@requirement("deaths:server")
async def test_a_server_whose_client_leaves_takes_its_processes_with_it(serve: Serve, plugins: Path) -> None:
    mixed(plugins)
    async with serve() as server:
        await server.call("mixed__echo")
        (forkserver,) = children_of(server.process.pid)
        workers = children_of(forkserver)
        with anyio.fail_after(40):
            assert await server.close() == 0
        await until_dead(forkserver, *workers)


@requirement("deaths:backoff")
async def test_a_plugin_that_keeps_killing_its_worker_is_held_back_and_then_quarantined(host: PluginHost) -> None:
    crashes = runner_of(host, "dies").crashes
    with pytest.raises(PluginCrashed):  # the first one costs no pause
        await host.call("dies", "run")
    with pytest.raises(PluginCrashed):
        await host.call("dies", "run")
    with pytest.raises(PluginUnavailable, match="'dies' is held back after 2 crashes of its worker; retry in 1 s"):
        await host.call("dies", "run")
    for _ in range(3):
        crashes.add(time.monotonic())
    with pytest.raises(PluginUnavailable, match="'dies' is quarantined after 5 crashes") as refused:
        await host.call("dies", "run")
    assert refused.value.data["quarantined"] is True
    assert host.stats()["plugins"]["dies"]["quarantined"] is True
    assert await host.call("other", "echo", {"a": 1}) == {"a": 1}
    host.restart("dies")  # a person says: try again
    with pytest.raises(PluginCrashed):
        await host.call("dies", "run")


@requirement("deaths:backoff")
async def test_a_plugin_that_kills_its_worker_while_loading_is_held_back_too(host: PluginHost) -> None:
    for _ in range(2):
        with pytest.raises(PluginCrashed, match="died during loading"):
            await host.call("dies-at-load", "run")
    with pytest.raises(PluginUnavailable, match="held back after 2 crashes"):
        await host.call("dies-at-load", "run")
    assert host.stats()["plugins"]["dies-at-load"]["workers"] == []


@requirement("deaths:backoff")
async def test_a_call_that_was_stopped_at_its_deadline_is_no_crash(plugins: Path, cache: Path) -> None:
    mixed(plugins, more="[limits]\nmax_execution_time_ms = 50")
    async with host_on(plugins, cache) as host:
        with anyio.fail_after(20):
            for _ in range(8):
                with pytest.raises(LimitExceeded, match="max_execution_time_ms"):
                    await host.call("mixed", "loop")
        assert host.stats()["plugins"]["mixed"]["crashes"] == 0


@requirement("deaths:idle")
async def test_an_idle_worker_ends_and_the_next_call_starts_another(plugins: Path, cache: Path) -> None:
    mixed(plugins)
    async with host_on(plugins, cache, idle_seconds=0.2) as host:
        await host.call("mixed", "echo", {})
        (pid,) = pids(host, "mixed")
        record = host.registry.get("mixed")
        assert record.shown_state is State.RUNNING
        await until_dead(pid)
        assert (record.shown_state, runner_of(host, "mixed").workers) == (State.LOADED, [])
        assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
        assert host.stats()["plugins"]["mixed"]["crashes"] == 0


@requirement("deaths:idle")
async def test_a_worker_in_use_is_not_idle(plugins: Path, cache: Path) -> None:
    mixed(plugins, more="[limits]\nmax_execution_time_ms = 600")
    async with host_on(plugins, cache, idle_seconds=0.1) as host:
        with pytest.raises(LimitExceeded):
            await host.call("mixed", "loop")
        assert host.stats()["plugins"]["mixed"]["crashes"] == 0


@requirement("deaths:spread")
async def test_more_calls_than_one_worker_should_have_start_a_second_one(host: PluginHost) -> None:
    workers = runner_of(host, "mixed").workers
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(host.call, "mixed", "loop")
            while len(workers) < 2:
                assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
            while not workers[1].in_flight:  # the second one takes its share when it is loaded
                assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
                tasks.start_soon(host.call, "mixed", "loop")
            tasks.cancel_scope.cancel()


@requirement("deaths:cache")
async def test_a_cache_folder_that_is_gone_costs_calls_and_not_the_server(plugins: Path, tmp_path: Path) -> None:
    mixed(plugins)
    mixed(plugins, "later")
    async with host_on(plugins, tmp_path) as host:
        await host.call("mixed", "echo", {})
        shutil.rmtree(tmp_path / "cache")
        with anyio.fail_after(40):
            assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}  # its worker lives
            with pytest.raises((IntegrityError, PluginUnavailable)):
                await host.call("later", "echo", {})
            host.restart("later")
            await until_served(host, "later")

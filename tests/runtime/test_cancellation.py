"""Calls that nobody waits for any more: the guest stops, and everything it held comes back."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import threading
from collections import Counter
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from mcp_server.errors import AgentMemError, PluginUnavailable
from mcp_server.host import PluginHost
from tests.conftest import Serve
from tests.requirements import requirement
from tests.runtime.plugins import children_of, host_on, mixed, open_files
from tests.stdio_server import META, StdioServer

CANCELS = 10_000
"""Enough to meet every state that a call can be in; a leak of one per thousand would show."""
AT_ONCE = 40
GROWTH = 16 * 1024 * 1024


def held(host: PluginHost) -> dict[str, int]:
    """Everything that calls take and must give back."""
    runner = host.registry.get("mixed").runner
    assert runner is not None
    gc.collect()
    return {
        "slots": runner.in_flight,
        "calls in workers": sum(worker.in_flight for worker in runner.workers),
        "files": open_files(),
        "threads": threading.active_count(),
        "processes": len(children_of(host.fleet.launcher.pid or 0)),
        "crashes": runner.crashes.total,
    }


def resident() -> int:
    """Bytes of memory that this process has in use."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


async def left_over(host: PluginHost, before: dict[str, int]) -> dict[str, int]:
    """What is held beyond what was held ``before``, once there is nothing, or after five seconds."""
    with anyio.move_on_after(5):
        while grown(before, held(host)):
            await anyio.lowlevel.checkpoint()
    return grown(before, held(host))


def grown(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in now.items() if count > before[name]}


@requirement("cancel:nothing-left")
async def test_calls_cancelled_at_random_moments_leave_nothing_behind(plugins: Path, cache: Path) -> None:
    seed = 42
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    outcomes: Counter[str] = Counter()
    mixed(plugins)
    async with host_on(plugins, cache, max_workers=1) as host:

        async def one(function: str, patience: float) -> None:
            with anyio.move_on_after(patience) as scope:
                try:
                    await host.call("mixed", function, {})
                    outcomes["answered"] += 1
                except AgentMemError as error:
                    outcomes[error.error_code] += 1
            if scope.cancelled_caught:
                outcomes["cancelled"] += 1

        async def many(calls: int) -> None:
            async def some() -> None:
                for _ in range(calls // AT_ONCE):
                    await one(chance.choice(["loop", "loop", "echo", "trap"]), chance.random() * 0.01)

            async with anyio.create_task_group() as tasks:
                for _ in range(AT_ONCE):
                    tasks.start_soon(some)

        with anyio.fail_after(50):
            await many(10 * AT_ONCE)  # every lane and buffer is made
            assert await left_over(host, {**held(host), "slots": 0, "calls in workers": 0}) == {}
            before = held(host)
            memory = resident()
            await many(CANCELS)
            assert await left_over(host, before) == {}, f"seed {seed}, {outcomes}"
            assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
        # Unavailable: on a machine that is busy with something else, a stop can take longer than its grace.
        assert set(outcomes) <= {"answered", "cancelled", "plugin_trapped", "plugin_unavailable"}, outcomes
        assert outcomes["cancelled"] > CANCELS / 4
        assert resident() - memory < GROWTH


@requirement("cancel:stops-the-guest")
async def test_a_cancelled_call_frees_its_slot_and_is_no_crash(plugins: Path, cache: Path) -> None:
    mixed(plugins, more="[limits]\nmax_concurrency = 1\nmax_execution_time_ms = 60_000")
    async with host_on(plugins, cache) as host:
        with anyio.fail_after(10):
            for _ in range(5):
                with anyio.move_on_after(0.05):
                    await host.call("mixed", "loop")
                assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}  # waits for the slot
        facts = host.stats()["plugins"]["mixed"]
        assert (facts["in_flight"], facts["crashes"]) == (0, 0)


@requirement("cancel:stops-the-guest")
async def test_calls_that_wait_behind_others_in_a_worker_are_cancelled_before_they_begin(
    plugins: Path, cache: Path
) -> None:
    """Long calls start one after another; a cancel must not wait until all that came before it have begun."""
    mixed(plugins, more="[limits]\nmax_execution_time_ms = 60_000")
    async with host_on(plugins, cache, max_workers=1) as host:
        await host.warm("mixed")
        for _ in range(3):
            with anyio.move_on_after(0.01):
                async with anyio.create_task_group() as tasks:
                    for _ in range(60):
                        tasks.start_soon(host.call, "mixed", "loop")
            assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
        assert host.stats()["plugins"]["mixed"]["crashes"] == 0
        runner = host.registry.get("mixed").runner
        assert runner is not None
        with anyio.fail_after(5):
            while runner.in_flight:
                await anyio.lowlevel.checkpoint()


@requirement("cancel:stops-the-guest")
async def test_a_worker_that_does_not_stop_a_call_is_killed_and_its_other_calls_learn_why(
    plugins: Path, cache: Path
) -> None:
    mixed(plugins, more="[limits]\nmax_execution_time_ms = 60_000")
    async with host_on(plugins, cache, max_workers=1) as host:
        await host.warm("mixed")
        runner = host.registry.get("mixed").runner
        assert runner is not None
        other: list[AgentMemError] = []

        async def innocent() -> None:
            with pytest.raises(PluginUnavailable, match="another call in it could not be stopped") as refused:
                await host.call("mixed", "loop")
            other.append(refused.value)

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(innocent)
                with anyio.move_on_after(0.05):
                    async with anyio.create_task_group() as given_up:
                        given_up.start_soon(host.call, "mixed", "loop")
                        while runner.in_flight < 2:
                            await anyio.lowlevel.checkpoint()
                        os.kill(runner.workers[0].pid, signal.SIGSTOP)  # deaf to every stop
        assert other[0].fix.startswith("call again")
        assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
        assert host.stats()["plugins"]["mixed"]["crashes"] == 0  # a kill that was asked for


@requirement("cancel:stops-the-guest")
async def test_a_cancelled_notification_over_stdio_stops_the_guest(serve: Serve, plugins: Path) -> None:
    mixed(plugins, more="[limits]\nmax_concurrency = 1\nmax_queued_calls = 1")
    async with serve() as server:
        await server.call("mixed__echo")
        with anyio.fail_after(20):
            for number in range(5):
                await start_loop(server, f"loop-{number}")
                await cancel(server, f"loop-{number}")
                # One slot: this is answered when the guest has stopped, long before its deadline of 5 s.
                result = await server.call("mixed__echo", {"n": number})
                assert result["structuredContent"] == {"n": number}
        assert [message for message in server.seen if "id" in message] == []  # a cancelled request gets no answer


@requirement("cancel:stops-the-guest")
async def test_a_client_that_leaves_ends_a_looping_call(serve: Serve, plugins: Path) -> None:
    mixed(plugins)
    environment = {"AGENTMEM_RUNTIME__DRAIN_SECONDS": "0.2"}
    async with serve(environment=environment) as server:
        await server.call("mixed__echo")
        await start_loop(server, "loop")
        with anyio.fail_after(5):
            assert await server.close() == 0


async def start_loop(server: StdioServer, number: str) -> None:
    await server.send(
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "tools/call",
            "params": {"name": "mixed__loop", "arguments": {}, "_meta": META},
        }
    )


async def cancel(server: StdioServer, number: str) -> None:
    await server.send(
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number, "_meta": META}}
    )

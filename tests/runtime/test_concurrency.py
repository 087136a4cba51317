"""Many calls of one plugin at one time: right outputs to right callers, and no failure reaches a sibling."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcp_server.errors import AgentMemError, Busy, LimitExceeded, PluginTrapped
from mcp_server.host import PluginHost
from mcp_server.tools.invoke import Caller
from tests.guests import module, write_plugin
from tests.requirements import requirement
from tests.runtime.plugins import LOOP, host_on, mixed

# Runs for a while, all in the guest, and then answers with its input: long enough to be running when a sibling dies.
SLOW_ECHO = """
  (func (export "slow_echo") (result i32) (local $left i32)
    (local.set $left (i32.const 300000))
    (loop $again
      (drop (memory.grow (i32.const 0)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (call $out (call $in) (call $len)) (i32.const 0))
"""
# A second, because four loops and a busy machine keep an innocent call waiting for more than a tenth of one.
QUICK = "[limits]\nmax_execution_time_ms = 1_000"


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncIterator[PluginHost]:
    mixed(plugins)
    mixed(plugins, "quick", QUICK)
    mixed(plugins, "hasty", QUICK)
    write_plugin(plugins, "slow", module(SLOW_ECHO + LOOP))
    async with host_on(plugins, cache, max_workers=1, max_calls_per_principal=4, max_queued_per_principal=4) as host:
        yield host


def crashes(host: PluginHost) -> int:
    return sum(facts["crashes"] for facts in host.stats()["plugins"].values())


async def until_running(host: PluginHost, plugin: str, calls: int) -> None:
    runner = host.registry.get(plugin).runner
    assert runner is not None
    with anyio.fail_after(40):
        while runner.in_flight < calls:
            await anyio.lowlevel.checkpoint()


@requirement("concurrency:no-crosstalk")
async def test_a_cancelled_call_leaves_its_siblings_in_the_same_worker_running(host: PluginHost) -> None:  # E21, X6
    answers: list[Any] = []

    async def innocent(number: int) -> None:
        answers.append(await host.call("slow", "slow_echo", {"n": number}))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(innocent, number)
            await until_running(host, "slow", 4)
            for _ in range(5):
                with anyio.move_on_after(0.02):
                    await host.call("slow", "loop")
    assert sorted(answer["n"] for answer in answers) == [0, 1, 2, 3]
    assert crashes(host) == 0


@requirement("concurrency:no-crosstalk")
async def test_twenty_innocent_calls_are_answered_while_their_siblings_time_out(host: PluginHost) -> None:  # T1
    answers: Counter[int] = Counter()
    late: list[str] = []
    over = anyio.Event()

    async def innocent(number: int) -> None:
        while not over.is_set():
            assert await host.call("quick", "echo", {"n": number}) == {"n": number}
            answers[number] += 1

    async def loop() -> None:
        for _ in range(2):
            with pytest.raises(LimitExceeded, match="max_execution_time_ms = 1000 ms"):
                await host.call("quick", "loop")
            late.append("late")

    with anyio.fail_after(30):
        async with anyio.create_task_group() as innocents:
            for number in range(20):
                innocents.start_soon(innocent, number)
            async with anyio.create_task_group() as loops:
                for _ in range(4):
                    loops.start_soon(loop)
            over.set()
    assert (len(late), len(answers), crashes(host)) == (8, 20, 0)


@requirement("concurrency:right-answers")
async def test_a_hundred_calls_of_every_fate_each_get_their_own_outcome(host: PluginHost) -> None:
    outcomes: dict[int, str] = {}
    words = ("ok", "plugin_trapped", "limit_execution_time", "cancelled")

    async def one(number: int) -> None:
        fate = number % 2 if number % 20 > 3 else number % 4  # few loops: there are two processors
        try:
            if fate == 0:
                sent = {"number": number, "text": "x" * (number * 97 % 5_000)}
                assert await host.call("hasty", "echo", sent) == sent
                outcomes[number] = "ok"
            elif fate == 1:
                await host.call("hasty", "trap")
            elif fate == 2:
                await host.call("hasty", "loop")
            else:
                with anyio.move_on_after(0.01) as scope:
                    await host.call("hasty", "loop")
                outcomes[number] = "cancelled" if scope.cancelled_caught else "?"
        except AgentMemError as error:
            outcomes[number] = error.error_code

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(one, number)
    fates = [number % 2 if number % 20 > 3 else number % 4 for number in range(100)]
    assert outcomes == {number: words[fate] for number, fate in enumerate(fates)}
    assert crashes(host) == 0


@requirement("concurrency:right-answers")
async def test_concurrent_calls_of_all_sizes_keep_their_answers_apart(host: PluginHost) -> None:
    async def one(number: int) -> None:
        for size in (0, 1, 100, 70_000, 300_000):
            sent = {"number": number, "text": chr(97 + number % 26) * size}
            assert await host.call("mixed", "echo", sent) == sent

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for number in range(30):
                tasks.start_soon(one, number)


@requirement("concurrency:principal")
async def test_one_principals_calls_are_bounded_and_another_ones_are_not_touched(host: PluginHost) -> None:
    first, second = Caller("first"), Caller("second")
    refused: list[Busy] = []

    async def loop() -> None:
        try:
            await host.call_tool("mixed__loop", {}, first)
        except Busy as busy:
            refused.append(busy)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(9):  # four run, four wait, one is turned away
                tasks.start_soon(loop)
            await until_running(host, "mixed", 4)
            await anyio.wait_all_tasks_blocked()
            assert [busy.message for busy in refused] == [
                "'first' has 4 calls in flight, which is the most; retry later"
            ]
            assert refused[0].data["retry_after_ms"] == 1_000
            assert (await host.call_tool("mixed__echo", {"a": 1}, second)).structured == {"a": 1}
            tasks.cancel_scope.cancel()
        for _ in range(10):  # all slots are free again
            assert (await host.call_tool("mixed__echo", {"a": 1}, first)).structured == {"a": 1}


@requirement("concurrency:no-crosstalk")
async def test_a_trap_in_a_pooled_instance_costs_only_that_instance(plugins: Path, cache: Path) -> None:
    mixed(plugins, "pooled", '[runtime]\nisolation = "shared"')
    async with host_on(plugins, cache, max_workers=1) as host:

        async def good(number: int) -> None:
            for _ in range(20):
                assert await host.call("pooled", "echo", {"n": number}) == {"n": number}

        async def bad() -> None:
            for _ in range(20):
                with pytest.raises(PluginTrapped):
                    await host.call("pooled", "trap")

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for number in range(5):
                    tasks.start_soon(good, number)
                    tasks.start_soon(bad)
        assert crashes(host) == 0

"""Whether plugins keep out of each other's way: calls that wait, calls that spin, and fifty plugins at a time."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import chain

from benchmarks.guests import DATA, ECHO, SPIN, WAIT, padded
from benchmarks.plugins import LOG_THAT_WAITS, WAIT_SECONDS, Plant, context, open_plant
from benchmarks.rounds import interleave_async, percentile
from benchmarks.table import Bar, Row, against, alone, run_program
from mcp_server.policy.limits import Limits
from mcp_server.runtime.runner import PluginRunner
from mcp_server.worker.frames import Mode

WAITING = 100
SPINNING = 4
PLUGINS = 50
CLIENTS = 8
PAUSE = 0.001
STOPPED_AFTER = 0.5
"""Seconds after which a worker whose guests do not stop has been killed."""
ENDLESS = Limits(execution_time=120_000, instructions=100_000_000_000)


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    return asyncio.run(_measure(quick))


async def _measure(quick: bool) -> list[Row]:
    rounds, calls = (1, 50) if quick else (7, 1_000)
    async with open_plant(max_workers=os.cpu_count() or 1, functions=(LOG_THAT_WAITS,)) as plant:
        rows = await _waiting(plant, rounds, calls)
        rows += await _spinning(plant, rounds, calls)
        return rows + await _many(plant, 8 if quick else PLUGINS, rounds, calls)


# --- calls that wait -----------------------------------------------------------------------------------------


async def _waiting(plant: Plant, rounds: int, calls: int) -> list[Row]:
    waiter = plant.runner(WAIT, "wait", isolation=Mode.CALL, name="waiter", host=(("agentmem", "log"),))
    other = plant.runner(ECHO, name="other")
    for count in range(10, WAITING + 1, 10):  # not what is measured: an engine for each call that waits
        await asyncio.gather(*(_wait_once(waiter) for _ in range(count)))

    async def burst() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(_wait_once(waiter) for _ in range(WAITING)))
        return time.perf_counter() - started

    async def beside(spread: float) -> float:
        async with _kept_waiting(waiter, spread):
            return percentile(await _paced(other, calls), 0.99) * 1e6

    async def quiet() -> float:
        return percentile(await _paced(other, calls), 0.99) * 1e6

    bursts, idle, steady, together = await interleave_async(
        rounds, burst, quiet, lambda: beside(WAIT_SECONDS), lambda: beside(0)
    )
    name = f"p99 of another plugin while {WAITING} calls wait in host functions"
    return [
        alone(f"{WAITING} calls at once that each wait 100 ms in a host function", "s", bursts, _most(0.25)),
        against(name, "µs", steady, idle, Bar("most", 1.5)),
        against("the same when they all start at the same moment, again and again", "µs", together, idle),
    ]


async def _wait_once(waiter: PluginRunner) -> None:
    await waiter.call("wait", b"{}", context(waiter))


@asynccontextmanager
async def _kept_waiting(waiter: PluginRunner, spread: float) -> AsyncGenerator[None]:
    """A hundred callers that call again and again, their beginnings ``spread`` seconds apart from first to last."""
    over = asyncio.Event()

    async def again(delay: float) -> None:
        await asyncio.sleep(delay)
        while not over.is_set():
            await _wait_once(waiter)

    tasks = [asyncio.create_task(again(spread * number / WAITING)) for number in range(WAITING)]
    await asyncio.sleep(spread + WAIT_SECONDS)
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)


# --- calls that spin -----------------------------------------------------------------------------------------


async def _spinning(plant: Plant, rounds: int, calls: int) -> list[Row]:
    spinner = plant.runner(SPIN, "spin", name="spinner", limits=ENDLESS)
    small = plant.runner(ECHO, name="small")
    latencies: list[float] = []

    async def rate() -> float:
        seconds = await _paced(small, calls, 0)
        return calls / sum(seconds)

    async def beside() -> float:
        async with _spun(spinner, SPINNING):
            seconds = await _paced(small, calls, 0)
        latencies.append(percentile(seconds, 0.99) * 1e3)
        return calls / sum(seconds)

    busy, idle = await interleave_async(rounds, beside, rate)
    return [
        against(f"calls of a small plugin while {SPINNING} of another spin", "/s", busy, idle, Bar("least", 0.3)),
        alone("their p99", "ms", latencies[1:], _most(5)),
    ]


@asynccontextmanager
async def _spun(spinner: PluginRunner, count: int) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(_spin(spinner)) for _ in range(count)]
    await spinner.warm()
    await asyncio.sleep(0.3)
    try:
        if any(task.done() for task in tasks):
            raise RuntimeError("a call that should spin has ended")
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(STOPPED_AFTER)


async def _spin(spinner: PluginRunner) -> None:
    await spinner.call("spin", b"", context(spinner))


# --- many plugins --------------------------------------------------------------------------------------------


async def _many(plant: Plant, plugins: int, rounds: int, calls: int) -> list[Row]:
    """Fifty plugins, the first used most and the last hardly ever, by some clients at a time."""
    runners = [plant.runner(padded(n), isolation=Mode.CALL, name=f"plugin-{n}") for n in range(plugins)]
    spinner = plant.runner(SPIN, "spin", name="one-spins", limits=ENDLESS)
    for runner in runners:
        await runner.warm()
    shares = [1 / (place + 1) for place in range(plugins)]
    chance = random.Random(7)  # noqa: S311  # the same load every time

    async def client() -> list[float]:
        seconds: list[float] = []
        for runner in chance.choices(runners, shares, k=calls // CLIENTS + 1):
            seconds += await _paced(runner, 1)
        return seconds

    async def load() -> float:
        seconds = await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return percentile(list(chain.from_iterable(seconds)), 0.99) * 1e3

    async def beside() -> float:
        async with _spun(spinner, 1):
            return await load()

    busy, idle = await interleave_async(rounds, beside, load)
    return [against(f"p99 over {plugins} plugins, skewed load, while one more spins", "ms", busy, idle)]


# --- shared --------------------------------------------------------------------------------------------------


async def _paced(runner: PluginRunner, calls: int, pause: float = PAUSE) -> list[float]:
    """Seconds of each of ``calls`` echo calls, one after another with a pause between."""
    seconds: list[float] = []
    for _ in range(calls):
        if pause:
            await asyncio.sleep(pause)
        started = time.perf_counter()
        await runner.call("echo", DATA, context(runner))
        seconds.append(time.perf_counter() - started)
    return seconds


def _most(value: float) -> Bar:
    return Bar("most", value, "figure")


if __name__ == "__main__":
    run_program(measure, __doc__ or "")

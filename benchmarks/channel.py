"""What the way to a worker process and back costs, one call at a time and with many in flight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import extism  # pyright: ignore[reportMissingTypeStubs]
from extism.extism import CompiledPlugin  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.echo_process import EchoProcess
from benchmarks.guests import DATA, ECHO
from benchmarks.machine import cpu_seconds
from benchmarks.plugins import Plant, context, open_plant
from benchmarks.rounds import interleave_async, seconds_per_call
from benchmarks.table import Bar, Row, against, alone, run_program
from mcp_server.runtime.runner import PluginRunner
from mcp_server.worker.frames import Mode

IN_FLIGHT = 100
BATCH = 1_000
FRAME = bytes(16) + DATA  # what a call of 16 bytes weighs on the wire
PAUSE = 0.002


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    return asyncio.run(_measure(3 if quick else 21, 100 if quick else 1_000))


async def _measure(rounds: int, calls: int) -> list[Row]:
    with EchoProcess() as echo:
        async with open_plant() as plant:
            shared = plant.runner(ECHO, name="shared")
            rows = await _one_at_a_time(echo, shared, rounds, calls)
            rows += await _many(shared, rounds, calls * 5)
            rows += await _fresh(echo, plant, rounds, max(calls // 5, 20))
            return rows


async def _one_at_a_time(echo: EchoProcess, runner: PluginRunner, rounds: int, calls: int) -> list[Row]:
    bare = extism.Plugin({"wasm": [{"data": ECHO}]}, functions=[])
    mine, both, trip = await interleave_async(
        rounds,
        lambda: _calls(runner, calls),
        lambda: _trips(echo, calls, lambda: bare.call("echo", DATA)),
        lambda: _trips(echo, calls),
    )
    return [
        against("one call at a time, against bare + empty round trip", "µs", mine, both, Bar("most", 1.5)),
        alone("the empty round trip in that", "µs", trip),
    ]


async def _many(runner: PluginRunner, rounds: int, calls: int) -> list[Row]:
    bare = extism.Plugin({"wasm": [{"data": ECHO}]}, functions=[])
    worker = runner.workers[0].pid
    ours: list[float] = []
    theirs: list[float] = []

    async def baseline() -> float:
        return 1 / seconds_per_call(lambda: bare.call("echo", DATA), calls)

    async def pipelined() -> float:
        before, before_worker, started = time.process_time(), cpu_seconds(worker), time.perf_counter()
        await asyncio.gather(*(_calls(runner, calls // IN_FLIGHT) for _ in range(IN_FLIGHT)))
        seconds = time.perf_counter() - started
        ours.append((time.process_time() - before) / calls * 1e6)
        theirs.append((cpu_seconds(worker) - before_worker) / calls * 1e6)
        return calls / seconds

    async def batched() -> float:
        started = time.perf_counter()
        for _ in range(max(calls // BATCH, 1)):
            await runner.call_many("echo", [DATA] * BATCH, context(runner))
        return max(calls // BATCH, 1) * BATCH / (time.perf_counter() - started)

    flight, batch, base = await interleave_async(rounds, pipelined, batched, baseline)
    return [
        against(f"{IN_FLIGHT} calls in flight to one worker, against bare", "/s", flight, base, Bar("least", 0.35)),
        alone("the same rate by itself", "/s", flight, Bar("least", 60_000, "figure")),
        alone("its processor time in the server process", "µs", ours),
        alone("its processor time in the worker", "µs", theirs),
        against("call_many, 1 000 inputs a message, against bare", "/s", batch, base, Bar("least", 0.9)),
    ]


async def _fresh(echo: EchoProcess, plant: Plant, rounds: int, calls: int) -> list[Row]:
    runner = plant.runner(ECHO, isolation=Mode.CALL, name="fresh")
    compiled = CompiledPlugin({"wasm": [{"data": ECHO}]}, functions=[])
    hidden: list[float] = []
    fresh_cost = seconds_per_call(lambda: extism.Plugin(compiled), calls) * 1e6

    def fresh() -> None:
        with extism.Plugin(compiled) as plugin:
            plugin.call("echo", DATA)

    mine, both, apart, both_apart = await interleave_async(
        rounds,
        lambda: _calls(runner, calls),
        lambda: _trips(echo, calls, fresh),
        lambda: _calls(runner, calls // 2, PAUSE, hidden),
        lambda: _trips(echo, calls // 2, fresh, PAUSE),
    )
    return [
        against(
            "fresh instance per call, against bare instantiate + call + round trip", "µs", mine, both, Bar("most", 1.3)
        ),
        against("the same with 2 ms between calls, so that a spare is ready", "µs", apart, both_apart),
        alone("share of the instance's making that the spare hid then", "", [1 - made / fresh_cost for made in hidden]),
    ]


async def _calls(runner: PluginRunner, calls: int, pause: float = 0, made: list[float] | None = None) -> float:
    """Mean microseconds of a call; ``made`` gets the mean of what the worker spent on instances."""
    seconds = instances = 0.0
    for _ in range(calls):
        if pause:
            await asyncio.sleep(pause)
        started = time.perf_counter()
        result = await runner.call("echo", DATA, context(runner))
        seconds += time.perf_counter() - started
        instances += result.instantiate_ns
    if made is not None:
        made.append(instances / calls / 1_000)
    return seconds / calls * 1e6


async def _trips(echo: EchoProcess, calls: int, bare: Callable[[], object] | None = None, pause: float = 0) -> float:
    """Mean microseconds of an empty round trip, each with a bare call before it.

    One after the other, as in a worker: in a tight loop of its own a bare call finds libextism's timer thread awake
    and costs a sixth of what it costs after a rest.
    """
    seconds = 0.0
    for _ in range(calls):
        if pause:
            await asyncio.sleep(pause)
        started = time.perf_counter()
        if bare is not None:
            bare()
        await echo.round_trip(FRAME)
        seconds += time.perf_counter() - started
    return seconds / calls * 1e6


if __name__ == "__main__":
    run_program(measure, __doc__ or "")

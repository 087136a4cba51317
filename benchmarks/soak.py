"""A million calls through one runner: whether memory, descriptors or threads grow, in the server or in the worker."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass

from benchmarks.guests import DATA, ECHO
from benchmarks.machine import descriptors, memory_kib, threads
from benchmarks.plugins import context, open_plant
from benchmarks.table import Bar, Row, alone, argument_parser, print_rows
from mcp_server.runtime.runner import PluginRunner
from mcp_server.worker.frames import Mode

CALLS = 1_000_000
IN_FLIGHT = 100
SAMPLES = 50
WARM_UP = 0.2
"""Share of the samples that is left out: pools fill, allocators take what they keep."""
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One process at one moment."""

    calls: int
    mib: float
    descriptors: int
    threads: int


def measure(quick: bool = False, calls: int = 0, isolation: Mode = Mode.SHARED) -> list[Row]:
    """The rows of this program.

    Args:
        quick: Few calls, which say nothing about growth.
        calls: How many; by default a million, or few when ``quick``.
        isolation: How long an instance lives.
    """
    return asyncio.run(_measure(calls or (5_000 if quick else CALLS), isolation))


async def _measure(calls: int, isolation: Mode) -> list[Row]:
    async with open_plant() as plant:
        runner = plant.runner(ECHO, isolation=isolation)
        await runner.warm()
        processes = {"server": os.getpid(), "worker": runner.workers[0].pid}
        samples: dict[str, list[Sample]] = {name: [] for name in processes}
        step = max(calls // SAMPLES // IN_FLIGHT, 1)
        started = time.perf_counter()
        for done in range(0, calls, step * IN_FLIGHT):
            await asyncio.gather(*(_call(runner, step) for _ in range(IN_FLIGHT)))
            for name, pid in processes.items():
                samples[name].append(_sample(done + step * IN_FLIGHT, pid))
        seconds = time.perf_counter() - started
        if processes["worker"] != runner.workers[0].pid:
            raise RuntimeError("the worker was replaced on the way")
    rate = samples["server"][-1].calls / seconds
    return [alone(f"soak: {calls} calls, {IN_FLIGHT} in flight", "/s", rate), *_rows(samples)]


async def _call(runner: PluginRunner, count: int) -> None:
    for _ in range(count):
        await runner.call("echo", DATA, context(runner))


def _sample(calls: int, pid: int) -> Sample:
    return Sample(calls, memory_kib(pid)["Rss"] / 1024, descriptors(pid), threads(pid))


def _rows(samples: dict[str, list[Sample]]) -> list[Row]:
    rows: list[Row] = []
    for name, all_of_it in samples.items():
        kept = all_of_it[int(len(all_of_it) * WARM_UP) :]
        calls = [sample.calls for sample in kept]
        first, last = kept[0], kept[-1]
        rows += [
            alone(
                f"{name}: resident memory per million calls ({first.mib:.1f} … {last.mib:.1f} MiB)",
                "MiB",
                _slope(calls, [sample.mib for sample in kept]),
                _most(1),
            ),
            alone(
                f"{name}: descriptors per million calls ({first.descriptors} … {last.descriptors})",
                "",
                _slope(calls, [sample.descriptors for sample in kept]),
                _most(0.5),
            ),
            alone(
                f"{name}: threads per million calls ({first.threads} … {last.threads})",
                "",
                _slope(calls, [sample.threads for sample in kept]),
                _most(0.5),
            ),
        ]
    return rows


def _slope(calls: list[int], figures: list[float] | list[int]) -> float:
    """Least squares: by how much ``figures`` grows in a million calls."""
    mean_calls, mean = sum(calls) / len(calls), sum(figures) / len(figures)
    over = sum((at - mean_calls) ** 2 for at in calls)
    return sum((at - mean_calls) * (y - mean) for at, y in zip(calls, figures, strict=True)) / over * MILLION


def _most(value: float) -> Bar:
    return Bar("most", value, "figure")


def main() -> None:
    """Read the command line and measure."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--calls", type=int, default=0, metavar="N", help=f"default {CALLS}")
    parser.add_argument("--isolation", choices=("call", "shared"), default="shared", help="default shared")
    options = parser.parse_args()
    print_rows(measure(options.quick, options.calls, Mode[options.isolation.upper()]), as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())

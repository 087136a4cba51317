"""What a plugin weighs: the record of one that nobody calls, and the worker of one that runs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.guests import DATA, ECHO, WAIT, padded
from benchmarks.machine import children, memory_kib
from benchmarks.plugins import LOG_THAT_WAITS, context, open_plant, write_plugins
from benchmarks.rounds import interleave
from benchmarks.stdio_client import StdioClient, server_environment
from benchmarks.table import Bar, Row, alone, run_program
from mcp_server.runtime.runner import PluginRunner
from mcp_server.worker.frames import Mode

PLUGINS = 100
IN_FLIGHT = 100
IDLE_SECONDS = 0.5
PATIENCE = 60.0


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        idle = _idle(Path(folder), 5 if quick else PLUGINS, 1 if quick else 3)
    return [*idle, *asyncio.run(_running(20 if quick else 1_000))]


# --- a plugin that is idle again -----------------------------------------------------------------------------


def _idle(home: Path, plugins: int, rounds: int) -> list[Row]:
    write_plugins(home / "one", {"plugin-0": padded(0)})
    write_plugins(home / "many", {f"plugin-{number}": padded(number) for number in range(plugins + 1)})
    left: list[float] = []
    many, one = interleave(
        rounds, lambda: _server(home, "many", plugins + 1, left), lambda: _server(home, "one", 1, left)
    )
    each = [(mine - base) / plugins for mine, base in zip(many, one, strict=True)]
    return [
        alone("a plugin that was used and is idle again, in the server", "MB", each, _most(1)),
        alone("processes left of it", "", max(left), _most(0)),
    ]


def _server(home: Path, folder: str, plugins: int, left: list[float]) -> float:
    """Megabytes of a server whose plugins were all called once and then left alone."""
    environment = {**server_environment(home), "AGENTMEM_RUNTIME__IDLE_SECONDS": str(IDLE_SECONDS)}
    arguments = ["-m", "mcp_server", "serve", "--plugins", str(home / folder)]
    with StdioClient(arguments, "modern", environment) as client:
        for number in range(plugins):
            client.call(f"plugin-{number}__echo", {"message": "hello"})
        # what all workers come from stays, the workers go
        forkserver = children(client.pid)[:1]
        until = time.monotonic() + PATIENCE
        while len(children(client.pid)) > len(forkserver) and time.monotonic() < until:
            time.sleep(IDLE_SECONDS / 4)
        left.append(len(children(client.pid)) - len(forkserver))
        return sum(memory_kib(pid)["Rss"] for pid in (client.pid, *forkserver)) / 1024


# --- a plugin that runs --------------------------------------------------------------------------------------


async def _running(calls: int) -> list[Row]:
    async with open_plant(functions=(LOG_THAT_WAITS,)) as plant:
        # A second plugin, because the pages of the engine's code count as private while there is one worker only.
        await plant.runner(padded(0), name="neighbour").warm()
        small = plant.runner(ECHO, isolation=Mode.CALL)
        await _call(small, calls)
        one = memory_kib(small.workers[0].pid)
        busy = plant.runner(WAIT, "wait", isolation=Mode.CALL, name="busy", host=(("agentmem", "log"),))
        await asyncio.gather(*(busy.call("wait", b"{}", context(busy)) for _ in range(IN_FLIGHT)))
        many = memory_kib(busy.workers[0].pid)
    return [
        alone("worker of a small module, all of it", "MB", one["Rss"] / 1024, _most(50)),
        alone("of that its own, shared with no other process", "MB", one["Private"] / 1024, _most(12)),
        alone(f"worker that had {IN_FLIGHT} calls at one time, all of it", "MB", many["Rss"] / 1024),
        alone("of that its own", "MB", many["Private"] / 1024),
    ]


async def _call(runner: PluginRunner, calls: int) -> None:
    for _ in range(calls):
        await runner.call("echo", DATA, context(runner))


def _most(value: float) -> Bar:
    return Bar("most", value, "figure")


if __name__ == "__main__":
    run_program(measure, __doc__ or "")

"""How long it takes until the server answers, until a plugin is loaded, and until a loaded one is found."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import extism  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.guests import padded
from benchmarks.machine import memory_kib
from benchmarks.plugins import write_plugins
from benchmarks.rounds import interleave, seconds_per_call
from benchmarks.stdio_client import ROOT, Era, StdioClient, server_environment
from benchmarks.table import Bar, Row, against, alone, run_program
from mcp_server.host import PluginHost

PLUGINS = 100
IMPORT = ("-c", "import mcp.server")


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    rounds, loads = (1, 2) if quick else (9, 15)
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        home = Path(folder)
        write_plugins(home / "plugins", {f"plugin-{number:03d}": padded(number) for number in range(PLUGINS)})
        return [*_starts(home, rounds), *asyncio.run(_loads(home, loads)), *asyncio.run(_look_ups(home, quick))]


def _starts(home: Path, rounds: int) -> list[Row]:
    environment = server_environment(home)
    del environment["PYTHONDONTWRITEBYTECODE"]  # the first round compiles what was changed, for both sides
    forgetful = {**environment, "AGENTMEM_HOME": str(home / "forgetful")}
    resident: list[float] = []
    fresh, again, session, called, helped, imported = interleave(
        rounds,
        lambda: _first_list(home, forgetful, remembered=False),
        lambda: _first_list(home, environment),
        lambda: _first_list(home, environment, "legacy", resident=resident),
        lambda: _first_call(home, environment),
        lambda: _run(("-m", "mcp_server", "--help"), environment),
        lambda: _run(IMPORT, environment),
    )
    more = [mine - base for mine, base in zip(fresh, imported, strict=True)]
    compiled = sum(path.is_file() for path in (home / "forgetful" / "cache" / "code").rglob("*"))
    loads, sooner = f"{PLUGINS} plugins", Bar("most", 0.15, "figure")
    return [
        against(f"first start to the first tools/list, {loads}, against import mcp.server", "s", fresh, imported),
        alone("what that is more than the import", "s", more, Bar("most", 0.3, "figure")),
        against(f"another start to the first tools/list, {loads}, against the import", "s", again, imported, sooner),
        against("another start to initialize and tools/list, against the import", "s", session, imported, sooner),
        against("another start to these and the answer of a call", "s", called, imported, Bar("most", 0.3, "figure")),
        alone("resident memory of the server before that call", "MB", resident[1:], Bar("most", 35, "figure")),
        alone("files of compiled code after tools/list", "", compiled, Bar("most", 0, "figure")),
        against("--help, against import mcp.server", "s", helped, imported, Bar("most", 0.3)),
    ]


def _first_list(
    home: Path,
    environment: Mapping[str, str],
    era: Era = "modern",
    *,
    remembered: bool = True,
    resident: list[float] | None = None,
) -> float:
    if not remembered:
        shutil.rmtree(Path(environment["AGENTMEM_HOME"]) / "cache" / "answers", ignore_errors=True)
    started = time.perf_counter()
    with _client(home, environment, era) as client:
        tools = client.ask("tools/list", {})["tools"]
        seconds = time.perf_counter() - started
        if resident is not None:
            resident.append(memory_kib(client.pid)["Rss"] * 1_024 / 1e6)
    if len(tools) != PLUGINS:
        raise RuntimeError(f"{len(tools)} tools were listed, {PLUGINS} plugins were written")
    return seconds


def _first_call(home: Path, environment: Mapping[str, str]) -> float:
    """Of the same module each time: the first round, which is not kept, compiles it."""
    started = time.perf_counter()
    with _client(home, environment, "legacy") as client:
        client.ask("tools/list", {})
        client.call("plugin-000__echo", {"message": "hello"})
        return time.perf_counter() - started


def _client(home: Path, environment: Mapping[str, str], era: Era) -> StdioClient:
    return StdioClient(["-m", "mcp_server", "serve", "--plugins", str(home / "plugins")], era, environment)


def _run(arguments: tuple[str, ...], environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


async def _loads(home: Path, loads: int) -> list[Row]:
    """Load modules that were never seen, then the same ones again in new workers."""
    cold: list[float] = []
    cached: list[float] = []
    bare: list[float] = []
    waited: list[float] = []
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as cache:
        async with PluginHost(cache=Path(cache)).load_plugins_from_dir(home / "plugins") as host:
            await host.warm(f"plugin-{PLUGINS - 1:03d}")  # starts what all workers come from
            for number in range(loads):
                plugin = f"plugin-{number:03d}"
                bare.append(seconds_per_call(lambda number=number: _bare_load(number), 1) * 1e3)
                cold.append((await host.warm(plugin))["load_ns"] / 1e6)
                host.restart(plugin)
                started = time.perf_counter()
                cached.append((await host.warm(plugin))["load_ns"] / 1e6)
                waited.append((time.perf_counter() - started) * 1e3)
                host.stop(plugin)
    return [
        against("load, cold, against a bare extism.Plugin", "ms", cold, bare, Bar("most", 31, "figure")),
        alone("load from the compiled cache", "ms", cached, Bar("most", 5, "figure")),
        alone("that with its new process, until calls can be sent", "ms", waited),
    ]


def _bare_load(number: int) -> None:
    extism.Plugin({"wasm": [{"data": padded(number)}]}, functions=[])


async def _look_ups(home: Path, quick: bool) -> list[Row]:
    async with PluginHost(cache=home / "cache").load_plugins_from_dir(home / "plugins") as host:
        plugin = f"plugin-{PLUGINS // 2:03d}"
        tool, record = interleave(
            3 if quick else 21,
            partial(_nanoseconds, partial(host.catalog.find, f"{plugin}__echo")),
            partial(_nanoseconds, partial(host.registry.get, plugin)),
        )
    return [
        alone("look-up of a loaded plugin's tool (Catalog.find)", "ns", tool, Bar("most", 333, "figure")),
        alone("look-up of a loaded plugin (Registry.get)", "ns", record, Bar("most", 333, "figure")),
    ]


def _nanoseconds(call: partial[object]) -> float:
    return seconds_per_call(call, 20_000) * 1e9


if __name__ == "__main__":
    run_program(measure, __doc__ or "")

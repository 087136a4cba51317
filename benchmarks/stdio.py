"""What one ``tools/call`` over stdio costs: our transport against the SDK's, then a real plugin behind it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import get_args

from benchmarks.guests import ECHO
from benchmarks.plugins import write_plugins
from benchmarks.rounds import interleave
from benchmarks.stdio_client import Era, StdioClient, server_environment
from benchmarks.table import Bar, Row, against, alone, run_program

ARGUMENTS = {"message": "0123456789abcdef"}


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    rounds, calls = (2, 30) if quick else (9, 500)
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        home = Path(folder)
        rows: list[Row] = []
        for era in get_args(Era):
            rows += _transports(era, home, rounds, calls)
        return rows + _plugins(home, rounds, calls)


def _transports(era: Era, home: Path, rounds: int, calls: int) -> list[Row]:
    with ExitStack() as stack:

        def server(transport: str, settings: str) -> Callable[[], float]:
            arguments = ["-m", "benchmarks.echo_server", transport, settings]
            client = stack.enter_context(StdioClient(arguments, era, server_environment(home)))
            return lambda: _cpu(client, "echo", calls)

        ours, sdk, stock, sdk_stock = interleave(
            rounds,
            server("ours", "served"),
            server("sdk", "served"),
            server("ours", "stock"),
            server("sdk", "stock"),
        )
    return [
        against(f"CPU of an echo tool, our transport against the SDK's, {era}", "µs", ours, sdk, Bar("most", 0.5)),
        against("the same with the SDK's own settings on both", "µs", stock, sdk_stock),
        against("as served, against the SDK as it comes", "µs", ours, sdk_stock),
    ]


def _plugins(home: Path, rounds: int, calls: int) -> list[Row]:
    write_plugins(home / "shared", {"shared": ECHO}, "shared")
    write_plugins(home / "fresh", {"fresh": ECHO}, "call")
    folders = ["--plugins", str(home / "shared"), "--plugins", str(home / "fresh")]
    latency: dict[str, list[float]] = {"shared": [], "fresh": []}
    with StdioClient(["-m", "mcp_server", "serve", *folders], "modern", server_environment(home)) as client:

        def plugin(name: str) -> Callable[[], float]:
            return lambda: _cpu(client, f"{name}__echo", calls, latency[name], workers=True)

        server, _ = interleave(rounds, plugin("shared"), plugin("fresh"))
        alone_cpu = interleave(rounds, lambda: _cpu(client, "shared__echo", calls))[0]
    shared, fresh = (median(latency[name]) * 1e6 for name in ("shared", "fresh"))
    return [
        alone("p50 of a plugin's tool, warm instance (best peer 108 µs)", "µs", shared),
        alone("p50 of a plugin's tool, fresh instance", "µs", fresh),
        alone("CPU of the warm call, server and worker", "µs", server),
        alone("CPU of the warm call, server alone", "µs", alone_cpu),
    ]


def _cpu(
    client: StdioClient, tool: str, calls: int, latency: list[float] | None = None, *, workers: bool = False
) -> float:
    client.call(tool, ARGUMENTS)
    before = client.cpu(workers=workers)
    seconds = client.calls(tool, ARGUMENTS, calls)
    if latency is not None:
        latency += seconds
    return (client.cpu(workers=workers) - before) / calls * 1e6


if __name__ == "__main__":
    run_program(measure, __doc__ or "")

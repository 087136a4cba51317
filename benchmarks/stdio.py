"""What the way of one ``tools/call`` over stdio costs: our transport against the SDK's, around the same tool."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

from benchmarks.rounds import interleave
from benchmarks.stdio_client import Era, StdioClient, server_environment
from benchmarks.table import Bar, Row, against, run_program

ARGUMENTS = {"message": "0123456789abcdef"}


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    rounds, calls = (2, 30) if quick else (9, 500)
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        home = Path(folder)
        rows: list[Row] = []
        for era in get_args(Era):
            rows += _transports(era, home, rounds, calls)
        return rows


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


def _cpu(client: StdioClient, tool: str, calls: int) -> float:
    client.call(tool, ARGUMENTS)
    before = client.cpu()
    client.calls(tool, ARGUMENTS, calls)
    return (client.cpu() - before) / calls * 1e6


if __name__ == "__main__":
    run_program(measure, __doc__ or "")

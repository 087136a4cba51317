"""Whether a server with a thousand tools answers a call as quickly as one with a single tool, and what a list costs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.guests import padded
from benchmarks.plugins import write_plugins
from benchmarks.rounds import interleave
from benchmarks.stdio_client import StdioClient, server_environment
from benchmarks.table import Bar, Row, against, run_program

PLUGINS = 10
SIZES = (1, 100, 1_000)
TOOL = "plugin-0__echo"
ARGUMENTS = {"message": "0123456789abcdef"}


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    rounds, calls = (1, 20) if quick else (9, 500)
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder, ExitStack() as stack:
        servers = [stack.enter_context(_server(Path(folder), tools)) for tools in SIZES]
        return [*_calls(servers, rounds, calls), *_lists(servers, rounds, max(calls // 10, 5))]


def _server(home: Path, tools: int) -> StdioClient:
    """A server with ``tools`` tools, spread over ten plugins where there are ten of them."""
    plugins = min(tools, PLUGINS)
    modules = {f"plugin-{number}": padded(number) for number in range(plugins)}
    write_plugins(home / str(tools), modules, "shared", tools=tools // plugins)
    return StdioClient(
        ["-m", "mcp_server", "serve", "--plugins", str(home / str(tools))], "modern", server_environment(home)
    )


def _calls(servers: list[StdioClient], rounds: int, calls: int) -> list[Row]:
    def cost(client: StdioClient) -> Callable[[], float]:
        return lambda: _cpu(client, calls, lambda: client.calls(TOOL, ARGUMENTS, calls))

    one, *more = interleave(rounds, *map(cost, servers))
    bars = [None, Bar("most", 1.1)]
    return [
        against(f"server's CPU of one tools/call, {tools} tools against 1", "µs", figures, one, bar)
        for tools, figures, bar in zip(SIZES[1:], more, bars, strict=True)
    ]


def _lists(servers: list[StdioClient], rounds: int, lists: int) -> list[Row]:
    def cost(client: StdioClient, tools: int) -> Callable[[], float]:
        def every_page() -> None:
            for _ in range(lists):
                found = _list(client)
                if found != tools:
                    raise RuntimeError(f"{found} tools were listed, there are {tools}")

        return lambda: _cpu(client, lists * tools, every_page)

    hundred, thousand = interleave(
        rounds, *(cost(client, tools) for client, tools in zip(servers[1:], SIZES[1:], strict=True))
    )
    name = "server's CPU of tools/list, all pages, per tool, 1000 tools against 100"
    return [against(name, "µs", thousand, hundred, Bar("most", 1.1))]


def _cpu(client: StdioClient, count: int, work: Callable[[], object]) -> float:
    """Microseconds of the server's processor time for each of the ``count`` things that ``work`` does."""
    before = client.cpu()
    work()
    return (client.cpu() - before) / count * 1e6


def _list(client: StdioClient) -> int:
    """List all tools, page after page; how many there are."""
    params: dict[str, Any] = {}
    found = 0
    while True:
        result = client.ask("tools/list", params)
        found += len(result["tools"])
        if "nextCursor" not in result:
            return found
        params = {"cursor": result["nextCursor"]}


if __name__ == "__main__":
    run_program(measure, __doc__ or "")

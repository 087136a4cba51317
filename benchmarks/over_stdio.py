"""``tools/call`` on pipes: a plugin in its worker against ACT, wassette and the SDK's own trivial echo tool.

Also the time from start to the first list, and what an idle server weighs. The peers are measured where ``python -m
benchmarks.peers`` has put them, which ``make bench-stdio`` sees to. ``stdio.py`` compares the transports alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import peers
from benchmarks.guests import ECHO, padded
from benchmarks.machine import memory_kib
from benchmarks.matrix import Line, print_tables
from benchmarks.plugins import write_plugins
from benchmarks.rounds import interleave
from benchmarks.stdio_client import StdioClient, peer_environment, server_environment
from benchmarks.table import Bar, argument_parser

__all__ = ["measure"]

ARGUMENTS = {"message": "0123456789abcdef"}
PLUGINS = 100
IN_FLIGHT = 16
SETTLED = 1.0
FRESH = "`tools/call` on stdio, a fresh instance for each call (the default)"
SHARED = 'The same with `isolation = "shared"`'
AT_REST = f"Start with {PLUGINS} plugins (wassette: as many components; ACT: its one), and an idle server"


@dataclass(frozen=True, slots=True)
class Side:
    """A server and the tool that is called on it."""

    name: str
    client: StdioClient
    tool: str

    def one_by_one(self, calls: int, p50: list[float]) -> float:
        """Processor µs of a call, of all processes; the median time of a call goes to ``p50``."""
        before = self.client.cpu(workers=True)
        p50.append(median(self.client.calls(self.tool, ARGUMENTS, calls)) * 1e6)
        return (self.client.cpu(workers=True) - before) / calls * 1e6

    def at_once(self, calls: int) -> float:
        """Calls per second with as many in flight."""
        return calls / self.client.in_flight(self.tool, ARGUMENTS, calls, IN_FLIGHT)


def measure(quick: bool = False) -> dict[str, list[Line]]:
    """The lines of this program, by the title of their table."""
    rounds, calls = (1, 32) if quick else (7, 2_000)
    found = [] if quick else peers.installed()
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        home = Path(folder)
        return {**_calls(home, found, rounds, calls), AT_REST: _at_rest(home, found, min(rounds, 5), quick=quick)}


def _calls(home: Path, found: Sequence[peers.Peer], rounds: int, calls: int) -> dict[str, list[Line]]:
    write_plugins(home / "plugins", {"fresh": ECHO}, "call")
    write_plugins(home / "plugins", {"shared": ECHO}, "shared")
    with ExitStack() as stack:
        server = stack.enter_context(_ours(home, home / "plugins"))
        sides = [Side("fresh", server, "fresh__echo"), Side("shared", server, "shared__echo")]
        sides += [Side(each.name, stack.enter_context(_peer(each, home)), "echo") for each in found]
        sides.append(Side("SDK", stack.enter_context(_sdk(home)), "echo"))
        for side in sides:
            _listed(side.client)
        p50: dict[str, list[float]] = {side.name: [] for side in sides}
        cpu = _each(rounds, sides, lambda side: side.one_by_one(calls, p50[side.name]))
        rate = _each(rounds, sides, lambda side: side.at_once(calls))
    kept = {name: figures[1:] for name, figures in p50.items()}  # as interleave keeps them
    return {
        title: [
            _line("stdio, 1 client: p50", "µs", kept, mine, Bar("most", 1.0)),
            _line("stdio, 1 client: CPU of a call, all processes", "µs", cpu, mine, Bar("most", 1.0)),
            _line(f"stdio, {IN_FLIGHT} in flight: calls", "/s", rate, mine, Bar("least", 1.0)),
        ]
        for title, mine in ((FRESH, "fresh"), (SHARED, "shared"))
    }


def _each(rounds: int, sides: Sequence[Side], figure: Callable[[Side], float]) -> dict[str, list[float]]:
    def told(side: Side) -> float:
        print(f"over_stdio: {side.name} …", file=sys.stderr, flush=True)
        return figure(side)

    series = interleave(rounds, *(lambda side=side: told(side) for side in sides))
    return {side.name: figures for side, figures in zip(sides, series, strict=True)}


def _line(what: str, unit: str, series: dict[str, list[float]], mine: str, bar: Bar) -> Line:
    others = {name: figures for name, figures in series.items() if name not in {"fresh", "shared"}}
    return Line(what, unit, series[mine], others, {"ACT": bar} if mine == "fresh" and "ACT" in others else {})


def _at_rest(home: Path, found: Sequence[peers.Peer], rounds: int, *, quick: bool) -> list[Line]:
    plugins = 5 if quick else PLUGINS
    write_plugins(home / "many", {f"plugin-{number:03d}": padded(number) for number in range(plugins)})
    many = [each if each.name == "ACT" else peers.server_of_many(PLUGINS) for each in found]
    starts = {
        "ours": lambda: _first_list(_ours(home, home / "many"), plugins),
        **{each.name: lambda each=each: _listed_by(each, home) for each in many},
        "SDK": lambda: _first_list(_sdk(home), 1),
    }
    series = dict(zip(starts, interleave(rounds, *starts.values()), strict=True))
    weights = {"ours": _idle(_ours(home, home / "plugins"))}
    weights |= {each.name: _idle(_peer(each, home)) for each in found} | {"SDK": _idle(_sdk(home))}
    memory = {name: [weight] for name, weight in weights.items()}
    bars = {} if quick else {"": Bar("most", 0.15, "figure")}
    return [
        Line("start to the first tools/list", "s", series.pop("ours"), series, bars),
        Line("resident memory, listed and idle", "MB", memory.pop("ours"), memory, {"": Bar("most", 35, "figure")}),
    ]


def _listed_by(each: peers.Peer, home: Path) -> float:
    return _first_list(_peer(each, home), 1 if each.name == "ACT" else PLUGINS)


def _first_list(client: StdioClient, tools: int) -> float:
    """Seconds since the process was started until it listed as many tools."""
    with client:
        _listed(client, tools)
        return time.perf_counter() - client.started


def _listed(client: StdioClient, tools: int = 1) -> None:
    """wassette answers before it has loaded its components, with the tools that it has."""
    while len(client.ask("tools/list", {})["tools"]) < tools:
        time.sleep(0.001)


def _idle(client: StdioClient) -> float:
    with client:
        _listed(client)
        time.sleep(SETTLED)
        return memory_kib(client.pid)["Rss"] / 1024


def _ours(home: Path, plugins: Path) -> StdioClient:
    environment = server_environment(home)
    del environment["PYTHONDONTWRITEBYTECODE"]  # the first round compiles what was changed
    return StdioClient(["-m", "mcp_server", "serve", "--plugins", str(plugins)], "legacy", environment)


def _sdk(home: Path) -> StdioClient:
    return StdioClient(["-m", "benchmarks.echo_server", "sdk", "stock"], "legacy", server_environment(home))


def _peer(which: peers.Peer, home: Path) -> StdioClient:
    return StdioClient(which.stdio[1:], "legacy", peer_environment(home), program=which.stdio[0])


def main() -> None:
    """Read the command line and measure."""
    options = argument_parser(__doc__ or "").parse_args()
    print_tables(measure(options.quick), as_json=options.json)


if __name__ == "__main__":
    main()

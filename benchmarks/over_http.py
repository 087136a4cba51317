"""``tools/call`` over HTTP: a plugin behind all guards against ACT, wassette and the SDK's own trivial echo tool.

The peers are measured where ``python -m benchmarks.peers`` has put them, which ``make bench-http`` sees to. Not named
``http``: a module of that name beside ``run.py`` would hide Python's own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks import peers
from benchmarks.guests import ECHO
from benchmarks.http_servers import OPEN, Server, ours, peer, sdk
from benchmarks.machine import descriptors, memory_kib
from benchmarks.matrix import Line, print_tables
from benchmarks.plugins import write_plugins
from benchmarks.table import Bar, Row, alone, argument_parser, print_rows

__all__ = ["measure", "soak"]

CLIENTS = (1, 16, 100, 1_000)
NONE = Bar("most", 0, "figure")
FRESH = "`tools/call` over HTTP, a fresh instance for each call (the default)"
SHARED = 'The same with `isolation = "shared"`'
OVERLOAD = "Beyond a share"
SOAK_SECONDS, SAMPLE_CALLS = 600.0, 20_000
WARM_UP = 0.2
Figure = Literal["rate", "p50", "p99", "cpu"]
TOLD: dict[Figure, tuple[str, str]] = {
    "rate": ("calls", "/s"),
    "p50": ("p50", "ms"),
    "p99": ("p99", "ms"),
    "cpu": ("CPU of a call, all processes", "µs"),
}
BARS: dict[tuple[int, Figure, str], Bar] = {
    (1, "p50", "ACT"): Bar("most", 0.8),
    (1, "cpu", "ACT"): Bar("most", 0.7),
    (1, "cpu", "SDK"): Bar("most", 0.12),
    (16, "rate", "ACT"): Bar("least", 1.2),
    (16, "rate", "SDK"): Bar("least", 10),
    (100, "p99", "ACT"): Bar("most", 0.5),
}
"""By clients, figure and peer. They are asked of fresh instances, with a process for each core where more than one
client calls."""


@dataclass(frozen=True, slots=True)
class Side:
    """A server and the tool that is called on it, with a figure for each round."""

    name: str
    server: Server
    tool: str
    figures: dict[Figure, list[float]] = field(default_factory=dict[Figure, list[float]])
    failed: list[float] = field(default_factory=list[float])

    def note(self, figure: Figure, value: float) -> None:
        """Keep ``value``."""
        self.figures.setdefault(figure, []).append(value)


def measure(quick: bool = False) -> dict[str, list[Line]]:
    """The lines of this program, by the title of their table."""
    rounds, calls, counts = (1, 32, (1, 16)) if quick else (5, 2_000, CLIENTS)
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder, ExitStack() as stack:
        plugins = Path(folder)
        write_plugins(plugins, {"fresh": ECHO}, "call")
        write_plugins(plugins, {"shared": ECHO}, "shared")
        one = stack.enter_context(ours(plugins, OPEN))
        two = stack.enter_context(ours(plugins, OPEN, processes=2))
        found = [] if quick else peers.installed()
        others = {each.name: stack.enter_context(peer(each)) for each in found}
        others["SDK"] = stack.enter_context(sdk())
        tables: dict[str, list[Line]] = {FRESH: [], SHARED: []}
        for clients in counts:
            sides = _sides(one if clients == 1 else two, others)
            busiest = _measured(sides, clients, max(calls, clients * 3), rounds)
            for title, side in zip(tables, sides, strict=False):
                tables[title] += _lines(clients, side, sides[2:], barred=title == FRESH)
            tables[FRESH].append(Line(f"{_name(clients)}: CPU that the load took at most", "cores", [busiest]))
        strict = stack.enter_context(ours(plugins, ("http.requests_per_second=1", "http.burst=1")))
        return {**tables, OVERLOAD: _overload(strict, calls)}


def soak(seconds: float) -> list[Row]:
    """What a server holds while a hundred clients call for ``seconds``, the first fifth left out."""
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        write_plugins(Path(folder), {"shared": ECHO}, "shared")
        with ours(Path(folder), OPEN[:-2]) as server:
            return _soaked(server, seconds)


def _soaked(server: Server, seconds: float) -> list[Row]:
    ends, failed, calls = time.monotonic() + seconds, 0, 0
    samples: list[tuple[float, int]] = []
    while time.monotonic() < ends or len(samples) < 3:
        outcome, _ = server.load("shared__echo", 100, SAMPLE_CALLS)
        calls += SAMPLE_CALLS
        failed += SAMPLE_CALLS - outcome.answered
        samples.append((memory_kib(server.pid)["Rss"] / 1024, descriptors(server.pid)))
    kept = samples[int(len(samples) * WARM_UP) :]
    (first, first_open), (last, last_open) = kept[0], kept[-1]
    return [
        alone(f"soak over HTTP: calls of 100 clients in {seconds:.0f} s that failed, of {calls}", "", failed, NONE),
        alone(f"soak over HTTP: memory ({first:.1f} … {last:.1f} MiB)", "MiB", last - first, _most(4)),
        alone(f"soak over HTTP: descriptors ({first_open} … {last_open})", "", last_open - first_open, _most(2)),
    ]


def _sides(server: Server, others: Mapping[str, Server]) -> list[Side]:
    """Our two kinds of instances, then the peers."""
    ours_of_both = [Side("fresh", server, "fresh__echo"), Side("shared", server, "shared__echo")]
    return ours_of_both + [Side(name, other, "echo") for name, other in others.items()]


def _measured(sides: list[Side], clients: int, calls: int, rounds: int) -> float:
    """Fill the sides' figures; what the clients took of the machine at most."""
    busiest = 0.0
    for number in range(rounds + 1):
        print(f"over_http: {clients} clients, round {number} of {rounds} …", file=sys.stderr, flush=True)
        for side in sides:
            outcome, cpu = side.server.load(side.tool, clients, calls)
            busiest = max(busiest, outcome.own_cpu / outcome.seconds)
            side.failed.append(calls - outcome.answered)
            if number:  # the first warms up
                side.note("rate", outcome.answered / outcome.seconds)
                side.note("p50", outcome.p50 * 1e3)
                side.note("p99", outcome.p99 * 1e3)
                side.note("cpu", cpu * 1e6)
    return busiest


def _lines(clients: int, mine: Side, others: Sequence[Side], *, barred: bool) -> list[Line]:
    name, lines = _name(clients), list[Line]()
    for figure, (what, unit) in TOLD.items():
        bars = {name: bar for (count, of, name), bar in BARS.items() if (count, of) == (clients, figure) and barred}
        theirs = {other.name: other.figures[figure] for other in others}
        lines.append(Line(f"{name}: {what}", unit, mine.figures[figure], theirs, bars))
    failures = {other.name: [sum(other.failed)] for other in others if sum(other.failed)}
    return [*lines, Line(f"{name}: calls that failed", "", [sum(mine.failed)], failures, {"": NONE})]


def _name(clients: int) -> str:
    return f"HTTP, {clients} client{'s' if clients > 1 else ''}"


def _overload(server: Server, calls: int) -> list[Line]:
    """A caller far beyond its rate: what it is answered, and after how long."""
    outcome, cpu = server.load("fresh__echo", 100, calls)
    others = calls - outcome.statuses.get("429", 0)
    return [
        Line(
            "HTTP, 100 clients beyond their rate: p99 of an answer 429", "ms", [outcome.p99 * 1e3], bars={"": _most(50)}
        ),
        Line("the same: answers that were not 429", "", [others], bars={"": _most(5)}),
        Line("the same: CPU of a refusal", "µs", [cpu * 1e6]),
    ]


def _most(value: float) -> Bar:
    return Bar("most", value, "figure")


def main() -> None:
    """Read the command line and measure."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--soak", type=float, nargs="?", const=SOAK_SECONDS, metavar="SECONDS", help="this alone")
    options = parser.parse_args()
    if options.soak is not None:
        print_rows(soak(options.soak), as_json=options.json)
        return
    print_tables(measure(options.quick), as_json=options.json)


if __name__ == "__main__":
    main()

"""``tools/call`` over HTTP: a plugin behind all guards against the SDK's own trivial echo tool, on the same stack.

Not named ``http``: a module of that name beside ``run.py`` would hide Python's own.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.guests import ECHO
from benchmarks.http_load import Load, Outcome
from benchmarks.machine import children, cpu_seconds, descriptors, memory_kib
from benchmarks.plugins import write_plugins
from benchmarks.stdio_client import ROOT, server_environment
from benchmarks.table import Bar, Row, against, alone, argument_parser, print_rows

__all__ = ["measure", "soak"]

CLIENTS = (1, 16, 100, 1_000)
NONE = Bar("most", 0, "figure")
OPEN = (
    *("http.requests_per_second=1000000", "http.burst=1000000", "http.max_requests_per_principal=2000"),
    *("http.max_requests=2000", "http.max_connections=2000"),
    *("runtime.max_calls_per_principal=2000", "runtime.max_queued_per_principal=4000"),
    "plugins.echo.limits.max_queued_calls=4096",
)
"""Settings under which one caller may be a thousand clients; what they cost is measured all the same."""
SOAK_SECONDS, SAMPLE_CALLS = 600.0, 20_000
WARM_UP = 0.2


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs.

    Attributes:
        pid: Of its process.
        port: On loopback.
        token: That it wants.
        tool: That echoes.
    """

    pid: int
    port: int
    token: str
    tool: str

    def load(self, clients: int, calls: int) -> tuple[Outcome, float]:
        """The outcome, and the processor seconds of the server and its workers for each call."""
        load = Load(self.port, self.token, self.tool, clients, calls)
        before = self._cpu()
        command = [sys.executable, "-m", "benchmarks.http_load", json.dumps(asdict(load))]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        return Outcome(**json.loads(done.stdout)), (self._cpu() - before) / calls

    def _cpu(self) -> float:
        return cpu_seconds(self.pid, *children(self.pid))


def measure(quick: bool = False) -> list[Row]:
    """The rows of this program."""
    rounds, calls, counts = (1, 32, (1, 16)) if quick else (5, 2_000, CLIENTS)
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        write_plugins(home / "plugins", {"echo": ECHO}, "shared")
        sdk = stack.enter_context(_sdk())
        ours = stack.enter_context(_ours(home, OPEN))
        rows = [row for clients in counts for row in _compared(ours, sdk, clients, calls, rounds)]
        strict = stack.enter_context(_ours(home, ("http.requests_per_second=1", "http.burst=1")))
        return [*rows, *_overload(strict, calls)]


def soak(seconds: float) -> list[Row]:
    """What a server holds while a hundred clients call for ``seconds``, the first fifth left out."""
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        home = Path(folder)
        write_plugins(home / "plugins", {"echo": ECHO}, "shared")
        with _ours(home, OPEN) as server:
            return _soaked(server, seconds)


def _soaked(server: Server, seconds: float) -> list[Row]:
    ends, failed, calls = time.monotonic() + seconds, 0, 0
    samples: list[tuple[float, int]] = []
    while time.monotonic() < ends or len(samples) < 3:
        outcome, _ = server.load(100, SAMPLE_CALLS)
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


def _compared(ours: Server, sdk: Server, clients: int, calls: int, rounds: int) -> Iterator[Row]:
    calls = max(calls, clients * 3)
    series: dict[str, tuple[list[float], list[float]]] = {what: ([], []) for what in ("rate", "p50", "p99", "cpu")}
    failed, busiest = 0, 0.0
    for number in range(rounds + 1):
        for side, server in enumerate((ours, sdk)):
            outcome, cpu = server.load(clients, calls)
            failed += calls - outcome.answered
            busiest = max(busiest, outcome.own_cpu / outcome.seconds)
            if number:  # the first warms up
                figures = (outcome.answered / outcome.seconds, outcome.p50 * 1e3, outcome.p99 * 1e3, cpu * 1e6)
                for pair, figure in zip(series.values(), figures, strict=True):
                    pair[side].append(figure)
    name = f"HTTP, {clients} client{'s' if clients > 1 else ''}"
    yield against(f"{name}: calls of a plugin", "/s", *series["rate"], Bar("least", 0.9))
    yield against(f"{name}: p50", "ms", *series["p50"])
    yield against(f"{name}: p99", "ms", *series["p99"], Bar("most", 1.25))
    yield against(f"{name}: CPU of a call, server and workers", "µs", *series["cpu"])
    yield alone(f"{name}: calls that failed, of both", "", failed, NONE)
    yield alone(f"{name}: CPU that the clients took at most", "cores", busiest)


def _overload(server: Server, calls: int) -> Iterator[Row]:
    """A caller far beyond its rate: what it is answered, and after how long."""
    outcome, cpu = server.load(100, calls)
    others = calls - outcome.statuses.get("429", 0)
    yield alone("HTTP, 100 clients beyond their rate: p99 of an answer 429", "ms", outcome.p99 * 1e3, _most(50))
    yield alone("the same: answers that were not 429", "", others, _most(5))
    yield alone("the same: CPU of a refusal", "µs", cpu * 1e6)


def _most(value: float) -> Bar:
    return Bar("most", value, "figure")


@contextmanager
def _ours(home: Path, settings: Sequence[str]) -> Iterator[Server]:
    port = _free_port()
    command = ["-m", "mcp_server", "serve", "--http", f"127.0.0.1:{port}", "--plugins", str(home / "plugins")]
    command += [word for setting in (*settings, "log.level=error") for word in ("--set", setting)]
    with _started(command, port, home) as process:
        token = (home / "state" / "http-token").read_text(encoding="ascii").strip()
        yield Server(process.pid, port, token, "echo__echo")


@contextmanager
def _sdk() -> Iterator[Server]:
    port = _free_port()
    with (
        tempfile.TemporaryDirectory() as home,
        _started(["-m", "benchmarks.http_echo", str(port)], port, Path(home)) as p,
    ):
        yield Server(p.pid, port, "", "echo")


@contextmanager
def _started(command: Sequence[str], port: int, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=server_environment(home), stderr=subprocess.DEVNULL
    )
    try:
        _await(lambda: _listens(port), process)
        yield process
    finally:
        process.terminate()
        process.wait()


def _await(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def main() -> None:
    """Read the command line and measure."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--soak", type=float, nargs="?", const=SOAK_SECONDS, metavar="SECONDS", help="this alone")
    options = parser.parse_args()
    rows = soak(options.soak) if options.soak is not None else measure(options.quick)
    print_rows(rows, as_json=options.json)


if __name__ == "__main__":
    main()

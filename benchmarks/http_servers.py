"""Servers over HTTP that run while they are measured: ours, the SDK's echo, and the peers. Used by ``over_http.py``."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.http_load import Load, Outcome
from benchmarks.machine import children, cpu_seconds
from benchmarks.peers import Peer
from benchmarks.stdio_client import ROOT, peer_environment, server_environment

__all__ = ["OPEN", "Server", "ours", "peer", "sdk"]

OPEN = (
    *("http.requests_per_second=1000000", "http.burst=1000000", "http.max_requests_per_principal=2000"),
    *("http.max_requests=2000", "http.max_connections=2000"),
    *("runtime.max_calls_per_principal=2000", "runtime.max_queued_per_principal=4000"),
    *("plugins.fresh.limits.max_queued_calls=4096", "plugins.shared.limits.max_queued_calls=4096"),
)
"""Settings under which one caller may be a thousand clients; what they cost is measured all the same."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs.

    Attributes:
        pid: Of its process.
        port: On loopback.
        token: That it wants.
    """

    pid: int
    port: int
    token: str = ""

    def load(self, tool: str, clients: int, calls: int) -> tuple[Outcome, float]:
        """The outcome, and the processor seconds of the server and all its processes for each call."""
        load = Load(self.port, self.token, tool, clients, calls)
        before = self._cpu()
        command = [sys.executable, "-m", "benchmarks.http_load", json.dumps(asdict(load))]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        return Outcome(**json.loads(done.stdout)), (self._cpu() - before) / calls

    def _cpu(self) -> float:
        return cpu_seconds(self.pid, *children(self.pid))


@contextmanager
def ours(plugins: Path, settings: Sequence[str], processes: int = 1) -> Iterator[Server]:
    """``serve --http`` on a folder of plugins, with a home of its own."""
    port = _free_port()
    command = [sys.executable, "-m", "mcp_server", "serve", "--http", f"127.0.0.1:{port}", "--plugins", str(plugins)]
    command += ["--processes", str(processes)] if processes > 1 else []
    command += [word for setting in (*settings, "log.level=error") for word in ("--set", setting)]
    with _home() as home, _started(command, port, server_environment(home)) as process:
        token = (home / "state" / "http-token").read_text(encoding="ascii").strip()
        yield Server(process.pid, port, token)


@contextmanager
def sdk() -> Iterator[Server]:
    """The SDK's own server with a trivial tool, as the SDK and uvicorn come."""
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.http_echo", str(port)]
    with _home() as home, _started(command, port, server_environment(home)) as process:
        yield Server(process.pid, port)


@contextmanager
def peer(which: Peer) -> Iterator[Server]:
    """One of ``peers.py``."""
    port = _free_port()
    with _home() as home, _started(which.on(port), port, peer_environment(home)) as process:
        server = Server(process.pid, port)
        # wassette answers before it has loaded its components.
        _await(lambda: server.load("echo", 1, 1)[0].answered == 1, process)
        yield server


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="agentmem-bench-") as folder:
        yield Path(folder)


@contextmanager
def _started(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with ExitStack() as stack:
        stack.callback(process.wait)
        stack.callback(process.terminate)
        _await(lambda: _listens(port), process)
        yield process


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

"""Starts, kills and mourns worker processes through the forkserver. Knows nothing about plugins."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcp_server.errors import PluginUnavailable
from mcp_server.worker.ahead import started_parent

__all__ = ["Launcher", "WorkerProcess"]

MAX_LINE = 65_536


class WorkerProcess:
    """One worker as the launcher knows it.

    Attributes:
        id: Number of the worker in this server's life; never used twice.
        pid: Process id once the forkserver told it, for people and measurements only: kills go by ``id``.
        ended: Called once with the exit status when it is reaped (negative: the signal).
    """

    def __init__(self, worker_id: int, ended: Callable[[int], None]) -> None:
        self.id = worker_id
        self.pid = 0
        self.ended = ended


class Launcher:
    """Owns the forkserver process. Must be used on a running asyncio event loop.

    Args:
        empty: An empty folder for workers to stand in.
    """

    def __init__(self, empty: Path) -> None:
        self._empty = empty
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lines = bytearray()
        self._workers: dict[int, WorkerProcess] = {}
        self._next_id = 0

    @property
    def pid(self) -> int | None:
        """The forkserver's process id while it runs."""
        return self._process.pid if self._process else None

    def spawn(
        self, *, memory: int, load_seconds: int, cache: Path, ended: Callable[[int], None]
    ) -> tuple[WorkerProcess, socket.socket]:
        """Order a worker; returns at once with the parent's end of its channel (non-blocking).

        Raises:
            PluginUnavailable: The machine gives no more processes or descriptors.
        """
        self._next_id += 1
        worker = WorkerProcess(self._next_id, ended)
        order = {
            "op": "spawn",
            "id": worker.id,
            "memory": memory,
            "load_seconds": load_seconds,
            "cache": str(cache),
            "empty": str(self._empty),
        }
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._connection(), [json.dumps(order).encode() + b"\n"], [theirs.fileno()])
        except OSError as error:
            ours.close()
            self._fall()
            raise PluginUnavailable(f"no worker process could be started: {error.strerror or error}") from None
        finally:
            theirs.close()
        ours.setblocking(False)
        self._workers[worker.id] = worker
        return worker, ours

    def kill(self, worker: WorkerProcess) -> None:
        """SIGKILL through the forkserver, which knows whether the process is still its own."""
        if self._control is not None and worker.id in self._workers:
            with contextlib.suppress(OSError):
                self._control.sendall(json.dumps({"op": "kill", "id": worker.id}).encode() + b"\n")

    def close(self) -> None:
        """End the forkserver and with it every worker; waits for the process, at most 2 s."""
        process, self._process = self._process, None
        self._fall()
        if process is not None:
            try:
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _connection(self) -> socket.socket:
        if self._control is not None:
            return self._control
        self._process, ours = started_parent()
        ours.settimeout(5)  # orders are small; a forkserver that takes none for 5 s is dead
        self._control = ours
        asyncio.get_running_loop().add_reader(ours, self._hear)
        return ours

    def _hear(self) -> None:
        if self._control is None:
            return
        try:
            data = self._control.recv(MAX_LINE)
        except OSError:
            data = b""
        if not data:
            self._fall()
            return
        self._lines += data
        while (end := self._lines.find(b"\n")) >= 0:
            message = json.loads(self._lines[:end])
            del self._lines[: end + 1]
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        worker = self._workers.get(message["id"])
        if worker is None:
            return
        if message["op"] == "spawned":
            worker.pid = message["pid"]
        else:
            del self._workers[worker.id]
            worker.ended(message["status"])

    def _fall(self) -> None:
        """The forkserver is gone or must go: every worker dies with it; the next spawn starts another."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()  # it may hang instead of being dead
            self._process.wait()
            self._process = None
        self._lines.clear()
        workers, self._workers = self._workers, {}
        for worker in workers.values():
            worker.ended(-9)

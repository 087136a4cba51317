"""The clean parent of all workers: imports the engine once, never runs it, forks a worker on order.

A fork of it is a worker in 7 ms where a new interpreter takes 33 ms; and it is safe because this process is
single-threaded, holds no secret, and has not used libextism (a fork after first use loses its timer thread).

Orders come as JSON lines on the control socket, a worker's channel as one descriptor with its order::

    → {"op": "spawn", "id": 7, "memory": …, "load_seconds": …, "cache": "…", "empty": "…"} + channel
    → {"op": "kill", "id": 7}
    ← {"op": "spawned", "id": 7, "pid": 4242}
    ← {"op": "exited", "id": 7, "status": -9}            negative: the signal that ended it

It ends when the control socket closes, and every worker with it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from mcp_server.worker import guest, life, walls

__all__ = ["main"]

MAX_ORDER = 65_536
MAX_DESCRIPTOR = 4_096


class Forkserver:
    """Forks, kills and reaps workers."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: dict[int, int] = {}  # pid -> id
        self._lines = bytearray()
        self._channels: list[int] = []
        self._selector = selectors.DefaultSelector()
        self._child_ended, notify = os.pipe()
        os.set_blocking(notify, False)
        signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._child_ended, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until the control socket closes."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._take_orders():
                        return
                else:
                    os.read(self._child_ended, 4_096)
                    self._reap()

    def end_all(self) -> None:
        """Kill every worker that is left."""
        for pid in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _take_orders(self) -> bool:
        data, channels, _, _ = socket.recv_fds(self._control, MAX_ORDER, 64)
        if not data:
            return False
        self._channels += channels
        self._lines += data
        while (end := self._lines.find(b"\n")) >= 0:
            order = json.loads(self._lines[:end])
            del self._lines[: end + 1]
            self._obey(order)
        return True

    def _obey(self, order: dict[str, Any]) -> None:
        if order["op"] == "spawn":
            channel = self._channels.pop(0)
            pid = os.fork()
            if pid == 0:
                self._become_worker(channel, order)
            os.close(channel)
            self._workers[pid] = order["id"]
            self._say({"op": "spawned", "id": order["id"], "pid": pid})
        elif order["op"] == "kill":
            for pid, worker in self._workers.items():
                if worker == order["id"]:  # not reaped yet, so the pid is still its own
                    os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            worker = self._workers.pop(pid, None)
            if worker is not None:
                self._say({"op": "exited", "id": worker, "status": os.waitstatus_to_exitcode(status)})

    def _say(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the next read sees the end
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _become_worker(self, channel: int, order: dict[str, Any]) -> None:
        """In the child: wall in, serve, end. Never returns."""
        code = 1
        try:
            walls.die_with_parent(os.getppid())
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.SIG_IGN)
            os.closerange(3, channel)  # the control socket, the other workers' channels, the selector …
            os.closerange(channel + 1, MAX_DESCRIPTOR)
            cache = Path(order["cache"])
            # set, not read: the only way libextism takes it, and one forked process has one cache
            os.environ["EXTISM_CACHE_CONFIG"] = str(cache / "cache.toml")  # noqa: TID251  # see above
            facts = walls.wall_in(walls.WallOrder(order["memory"], order["load_seconds"], cache, Path(order["empty"])))
            guest.watch_traps()
            life.live(socket.socket(fileno=channel), {"walls": facts, "engine": guest.engine_version()})
            code = 0
        finally:
            os._exit(code)


def _noted(number: int, frame: object) -> None:
    """SIGCHLD: the wakeup descriptor has told the loop already."""


def main(descriptor: int) -> None:
    """Serve on the control socket that was inherited as ``descriptor``."""
    walls.die_with_parent(os.getppid())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a terminal's Ctrl-C is the server's business
    gc.collect()
    gc.freeze()  # workers share these pages as long as nobody's collector touches them
    server = Forkserver(socket.socket(fileno=descriptor))
    try:
        server.run()
    finally:
        server.end_all()


if __name__ == "__main__":
    main(int(sys.argv[1]))

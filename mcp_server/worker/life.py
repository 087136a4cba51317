"""One worker's life, after its walls are up: order, compile, prove one instance, serve until the parent goes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any

from mcp_server.worker import walls
from mcp_server.worker.frames import LENGTH, FrameError, Kind, pack_frame
from mcp_server.worker.guest import GuestStop
from mcp_server.worker.link import ChannelClosed, Link
from mcp_server.worker.order import LoadOrder
from mcp_server.worker.serving import Serving, result_frame

__all__ = ["live"]

STACK = 2 * 1024 * 1024  # wasm may use 512 KiB of it; below 1 MiB deep recursion is a SIGSEGV instead of a trap


def live(channel: socket.socket, facts: dict[str, Any]) -> None:
    """Load what the parent orders and serve it; returns when the load fails, else the process ends with the channel.

    Args:
        channel: The connected socket to the parent; blocking.
        facts: What is known about this worker, sent with LOADED.
    """
    threading.stack_size(STACK)
    link = Link(channel)
    with contextlib.suppress(ChannelClosed, FrameError, OSError):
        serving = _load(link, facts)
        if serving is not None:
            link.before_waiting = serving.lanes.make_spare
            serving.serve()


def _load(link: Link, facts: dict[str, Any]) -> Serving | None:
    """Take the LOAD frame, compile, prove one instance, answer; None when the module was refused."""
    kind, _, _, load_id, payload = link.next()
    if kind != Kind.LOAD:
        raise ChannelClosed
    (length,) = LENGTH.unpack_from(payload)
    order = LoadOrder.from_json(payload[LENGTH.size : LENGTH.size + length])
    started = time.perf_counter_ns()
    serving = Serving(link, order, payload[LENGTH.size + length :])
    try:
        with walls.batch_threads():
            serving.lanes.prove()
    except GuestStop as stop:
        link.send(result_frame(load_id, (stop.status, stop.text.encode(), 0, 0)))
        return None
    facts["load_ns"] = time.perf_counter_ns() - started
    link.send(pack_frame(Kind.LOADED, load_id, json.dumps(facts).encode()))
    return serving

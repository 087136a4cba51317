"""One function over many inputs: a MANY frame's payload in, PART frames' payloads out."""

from __future__ import annotations

from collections.abc import Callable

from mcp_server.worker.frames import ITEM, LENGTH, Status
from mcp_server.worker.lane import Lane

__all__ = ["run_batch"]

PART_SIZE = 16_384
"""Bytes of finished items that go out at once: the parent unpacks them while the next ones run."""


def run_batch(lane: Lane, mode: int, function: bytes, payload: bytes, send: Callable[[bytes], None]) -> tuple[int, int]:
    """Run the batch on a claimed lane; what is finished goes out in parts, so that no answer grows unbounded.

    A stop ends the batch with the item that was running.

    Returns:
        Nanoseconds to make the instances, nanoseconds in the guest.
    """
    done: list[bytes] = []
    size = position = instantiate = execute = 0
    while position < len(payload):
        (length,) = LENGTH.unpack_from(payload, position)
        position += LENGTH.size + length
        status, output, made, ran = lane.run(mode, function, payload[position - length : position])
        instantiate += made
        execute += ran
        done += (ITEM.pack(status, len(output)), output)
        size += len(output) + ITEM.size
        if status == Status.STOPPED:
            break
        if size > PART_SIZE:
            send(b"".join(done))
            done.clear()
            size = 0
    if done:
        send(b"".join(done))
    return instantiate, execute

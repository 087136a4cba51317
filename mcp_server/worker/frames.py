"""The wire between server process and worker: length-prefixed frames, no pickle, every size checked.

A frame is a 16-byte header and a payload. Both ends treat the other's bytes as hostile: a payload over the
bound, or a kind the direction does not have, ends the channel (the parent then kills the worker).

======  =========  ===========================================================================
kind    direction  payload
======  =========  ===========================================================================
LOAD    → worker   u32 length, that many bytes of JSON (the load order), the module's bytes
CALL    → worker   input bytes; ``aux`` = export index, ``status`` = isolation mode
MANY    → worker   count × (u32 length, input bytes); same header as CALL
CANCEL  → worker   empty
REPLY   → worker   answer to the host call that call ``id`` waits for; ``aux`` = its serial
FORGET  → worker   empty; ``id`` = session whose instance may go
LOADED  ← worker   JSON facts about the worker (walls that are up, engine version)
RESULT  ← worker   u64 instantiate ns, u64 execute ns, then output or error text; ``status`` = Status
PART    ← worker   count × (u8 status, u32 length, bytes): finished items of a MANY, more follow
HOST    ← worker   request bytes; ``aux`` = index of the linked host function; ``status`` = serial
======  =========  ===========================================================================
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

__all__ = [
    "HEADER",
    "ITEM",
    "LENGTH",
    "RESULT_HEAD",
    "TIMES",
    "FrameError",
    "FrameReader",
    "Kind",
    "Mode",
    "Status",
    "pack_frame",
]

HEADER: Final = struct.Struct("<IBBHQ")
"""Payload length, kind, status, aux, id."""
TIMES: Final = struct.Struct("<QQ")
"""Start of a RESULT: nanoseconds to make the instance, nanoseconds in the guest."""
RESULT_HEAD: Final = struct.Struct("<IBBHQQQ")
"""Header and times of a RESULT in one."""
ITEM: Final = struct.Struct("<BI")
"""Start of one item of a PART: status, length."""
LENGTH: Final = struct.Struct("<I")
SIZE: Final = HEADER.size


class Kind:
    """Frame kinds; plain integers because the loop that compares them runs for every call."""

    LOAD: Final = 1
    CALL: Final = 2
    MANY: Final = 3
    CANCEL: Final = 4
    REPLY: Final = 5
    FORGET: Final = 6
    LOADED: Final = 17
    RESULT: Final = 18
    PART: Final = 19
    HOST: Final = 20


class Status:
    """How a call, or a load, ended inside the worker; plain integers for the same reason."""

    OK: Final = 0
    PLUGIN_ERROR: Final = 1  # the guest set an error, or returned non-zero
    TRAP: Final = 2
    STOPPED: Final = 3  # cancelled by the parent, who knows why
    OUT_OF_FUEL: Final = 4
    OUT_OF_MEMORY: Final = 5
    OUTPUT_TOO_LARGE: Final = 6
    NO_FUNCTION: Final = 7
    LOAD_FAILED: Final = 8
    HOST_ABORTED: Final = 9  # a host answer could not be delivered


class Mode(IntEnum):
    """Isolation of one call."""

    CALL = 0  # a fresh instance, thrown away afterwards
    SHARED = 1  # a pooled instance that keeps its state
    SESSION = 2  # the instance of one session; the payload starts with its u64 key


class FrameError(Exception):
    """The peer sent bytes that are not this protocol; the channel is over."""


def pack_frame(kind: int, call_id: int, payload: bytes = b"", *, status: int = 0, aux: int = 0) -> bytes:
    """One frame as bytes."""
    return HEADER.pack(len(payload), kind, status, aux, call_id) + payload


class FrameReader:
    """Cuts a byte stream into frames.

    Args:
        max_payload: Longest payload accepted, in bytes.
    """

    __slots__ = ("_buffer", "_later", "_later_size", "_max_payload", "_position", "_wanted")

    def __init__(self, max_payload: int) -> None:
        self._buffer = b""
        self._position = 0
        self._max_payload = max_payload
        self._later: list[bytes] = []  # the rest of a frame that comes in many pieces, joined once
        self._later_size = 0
        self._wanted = 0

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        if self._position == len(self._buffer) and not self._later:
            self._buffer = data
            self._position = 0
            return
        self._later.append(data)
        self._later_size += len(data)
        left = len(self._buffer) - self._position
        if left + self._later_size >= self._wanted:
            self._buffer = b"".join((self._buffer[self._position :], *self._later))
            self._position = 0
            self._later.clear()
            self._later_size = 0

    def next(self) -> tuple[int, int, int, int, bytes] | None:
        """The next whole frame as (kind, status, aux, id, payload), or None when more bytes are needed.

        Raises:
            FrameError: The announced payload is longer than allowed.
        """
        start = self._position
        buffer = self._buffer
        if len(buffer) - start < SIZE:
            self._wanted = SIZE
            return None
        length, kind, status, aux, call_id = HEADER.unpack_from(buffer, start)
        if length > self._max_payload:
            raise FrameError(
                f"a frame of kind {kind} announces {length} bytes; at most {self._max_payload} are allowed"
            )
        end = start + SIZE + length
        if len(buffer) < end:
            self._wanted = SIZE + length
            return None
        self._position = end
        return kind, status, aux, call_id, buffer[start + SIZE : end]

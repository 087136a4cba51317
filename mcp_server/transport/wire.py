"""JSON lines over two file descriptors, without a thread hop: the bytes of the stdio transport.

The SDK's own stdio transport moves each message through three threads; that is half of its cost. Here the event
loop watches the descriptor and parses in place. Every line that is no valid JSON-RPC message gets an answer:
an error to its id where it has a usable one, else one error with a null id.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable
from typing import cast

from pydantic_core import PydanticSerializationError, from_json, to_json

from mcp_server.transport.frame import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    Message,
    frame_problem,
    usable_id,
)

__all__ = ["LineWire"]

READ = 262_144
MAX_LINE = 32 * 1024 * 1024
HIGH_WATER = 1_048_576
"""Unsent bytes from which :meth:`LineWire.send` makes the sender wait."""


class LineWire:
    """Reads messages into ``on_message`` and writes lines; owned by one event loop.

    asyncio and not anyio, because anyio has no way to watch a descriptor without a task switch per wake-up; the
    difference is the half of the CPU that ``benchmarks/stdio.py`` shows.

    Args:
        source: Readable descriptor.
        sink: Writable descriptor.
        on_message: Called with every well-formed message, in order.
        on_end: Called once at end of input.
    """

    def __init__(
        self, source: int, sink: int, on_message: Callable[[Message], None], on_end: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._sink = sink
        self._on_message = on_message
        self._on_end = on_end
        self._line = bytearray()
        self._skipping = False  # inside a line that is too long
        self._unsent = bytearray()
        self._drained = asyncio.Event()
        self._drained.set()
        self._reading = False
        self.broken = False

    def start(self, first: bytes = b"") -> None:
        """Begin to read; ``first`` was read already."""
        self._reading = True
        if _can_be_watched(self._sink):
            os.set_blocking(self._sink, False)
        if first:
            self._take(first)
        if _can_be_watched(self._source):
            self._loop.add_reader(self._source, self._readable)
        else:  # a regular file cannot be watched: `agentmem-mcp serve < requests.jsonl`
            threading.Thread(target=self._read_file, daemon=True).start()

    def stop_reading(self) -> None:
        """Take no more messages, as at end of input."""
        if self._reading:
            self._reading = False
            if _can_be_watched(self._source):
                self._loop.remove_reader(self._source)
            self._on_end()

    def write(self, message: Message) -> None:
        """Send one message now or as soon as the peer reads; what JSON cannot hold becomes null, or an error answer."""
        try:
            line = to_json(message, inf_nan_mode="null")
        except (PydanticSerializationError, ValueError):
            line = to_json(
                {
                    "jsonrpc": "2.0",
                    "id": message.get("id"),
                    "error": {"code": INTERNAL_ERROR, "message": "the answer cannot be written as JSON"},
                }
            )
        self._send(line + b"\n")

    def write_line(self, line: bytes) -> None:
        """Send one message that is JSON already."""
        self._send(line + b"\n")

    async def drain(self) -> None:
        """Wait until the peer has taken enough of what was written."""
        if len(self._unsent) > HIGH_WATER:
            await self._drained.wait()

    async def flush(self) -> None:
        """Wait until everything is written, or the peer is gone."""
        while self._unsent and not self.broken:
            self._drained.clear()
            await self._drained.wait()

    # --- in ----------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = os.read(self._source, READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._take(data)

    def _read_file(self) -> None:
        while True:
            data = os.read(self._source, READ)
            self._loop.call_soon_threadsafe(self._take, data)
            if not data:
                return

    def _take(self, data: bytes) -> None:
        if not self._reading:
            return
        if not data:
            if self._line.strip():
                self._parse(bytes(self._line))
                self._line.clear()
            self.stop_reading()
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif self._line:
                self._line += line
                whole = bytes(self._line)
                self._line.clear()
                self._parse(whole)
            else:
                self._parse(line)
        if not self._skipping:
            self._line += rest
            if len(self._line) > MAX_LINE:
                self._line.clear()
                self._skipping = True
                self._refuse(
                    None, INVALID_REQUEST, f"a message may be {MAX_LINE} bytes long; the rest of it was skipped"
                )

    def _parse(self, line: bytes) -> None:
        if not line or line.isspace():
            return
        try:
            message: object = from_json(line, allow_inf_nan=False, cache_strings="keys")
        except ValueError as error:
            self._refuse(None, PARSE_ERROR, f"not JSON: {error}")
            return
        problem = frame_problem(message)
        if problem:
            self._refuse(usable_id(message), INVALID_REQUEST, problem)
            return
        self._on_message(cast("Message", message))

    def _refuse(self, request_id: object, code: int, text: str) -> None:
        self.write({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text}})

    # --- out ---------------------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if self.broken:
            return
        if self._unsent:
            self._unsent += data
            return
        sent = self._try_write(data)
        if sent < len(data) and not self.broken:
            self._unsent += memoryview(data)[sent:]
            self._drained.clear()
            self._loop.add_writer(self._sink, self._writable)

    def _writable(self) -> None:
        sent = self._try_write(self._unsent)
        del self._unsent[:sent]
        if not self._unsent or self.broken:
            self._unsent.clear()
            self._loop.remove_writer(self._sink)
            self._drained.set()

    def _try_write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._sink, data)
        except BlockingIOError:
            return 0
        except OSError:  # the client is gone; reading will end too, and nobody waits for these bytes
            self.broken = True
            self._drained.set()
            return 0


def _can_be_watched(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)

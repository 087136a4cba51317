"""The parent's end of one worker: sends calls, matches answers, passes host calls on.

On asyncio's ``add_reader`` and futures instead of anyio streams because a round trip through a stream costs
83–88 µs where the bare socket costs 18–65 µs (socketpair, 16 bytes), and this is every call's way.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any, Protocol, cast

from mcp_server.worker.frames import ITEM, LENGTH, TIMES, FrameError, FrameReader, Kind, Mode, pack_frame
from mcp_server.worker.order import LoadOrder

__all__ = ["Answer", "Holder", "LoadRefused", "Pending", "WorkerChannel", "WorkerGone"]

RECEIVE = 262_144
MAX_HOST_REQUEST = 17 * 1024 * 1024
_TIMES_SIZE = TIMES.size

Answer = tuple[int, bytes, int, int]
"""Status, output or error text, nanoseconds to make the instance, nanoseconds in the guest."""


class WorkerGone(Exception):
    """The worker's channel ended while something waited on it."""


class Holder(Protocol):
    """Whoever holds something for a call until its guest has really stopped."""

    def ended(self, pending: Pending) -> None:
        """The worker is done with the call, even if nobody awaits the answer any more; called once."""
        ...

    def expired(self, pending: Pending) -> None:
        """The call's time is over."""
        ...


class Pending:
    """One call that the worker has and has not answered.

    Attributes:
        id: Number of the call on this channel.
        answer: Resolves with an :data:`Answer`, or fails with :class:`WorkerGone`.
        context: Whatever the caller wants to find again when the guest asks the host something.
        holder: Told when the call ends or its time is over.
        parts: Finished items of a MANY call, (status, output); None for a single call.
        stopped: Why the parent stopped it, or None.
        due: The set of calls with the same deadline, while it has one.
    """

    __slots__ = ("answer", "context", "due", "holder", "id", "parts", "stopped")

    def __init__(
        self,
        call_id: int,
        answer: asyncio.Future[Answer],
        context: Any,
        holder: Holder,
        parts: list[tuple[int, bytes]] | None,
    ) -> None:
        self.id = call_id
        self.answer = answer
        self.context = context
        self.holder = holder
        self.parts = parts
        self.stopped: str | None = None
        self.due: set[Pending] | None = None


class WorkerChannel:
    """Frames to and from one worker.

    Args:
        channel: Connected, non-blocking; owned from now on.
        max_output: Longest output accepted; a longer frame ends the channel.
        on_host: Called with (pending call, host function index, serial, request) for each host call.
        on_gone: Called once when the channel ends, with the reason.
    """

    def __init__(
        self,
        channel: socket.socket,
        *,
        max_output: int,
        on_host: Callable[[Pending, int, int, bytes], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(max(max_output * 2, MAX_HOST_REQUEST))
        self._max_output = max_output
        self._on_host = on_host
        self._on_gone = on_gone
        self._unsent = bytearray()
        self._batch: list[bytes] = []
        self._next_id = 0
        self.pending: dict[int, Pending] = {}
        self.loaded: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self.open = True
        self._loop.add_reader(channel, self._readable)

    def load(self, order: LoadOrder, wasm: bytes) -> None:
        """Send the module; ``loaded`` resolves when an instance has been made, or fails."""
        text = order.to_json()
        self._send(pack_frame(Kind.LOAD, 0, LENGTH.pack(len(text)) + text + wasm))

    def call(
        self,
        export: int,
        mode: Mode,
        payload: bytes,
        context: Any,
        holder: Holder,
        *,
        many: bool = False,
    ) -> Pending:
        """Send one call; await its ``answer``."""
        self._next_id += 1
        pending = Pending(self._next_id, self._loop.create_future(), context, holder, [] if many else None)
        if not self.open:  # it died after it was chosen
            pending.answer.set_exception(WorkerGone("the worker is gone"))
            self._loop.call_soon(holder.ended, pending)
            return pending
        self.pending[pending.id] = pending
        frame = pack_frame(Kind.MANY if many else Kind.CALL, pending.id, payload, status=mode, aux=export)
        if len(self.pending) == 1:
            self._send(frame)
        else:  # others run: one system call, and one wake-up of the worker, for all frames of this turn of the loop
            if not self._batch:
                self._loop.call_soon(self._send_batch)
            self._batch.append(frame)
        return pending

    def stop(self, pending: Pending, reason: str) -> None:
        """Ask the worker to stop a call; its answer still comes (STOPPED), unless the guest cannot be stopped."""
        if pending.stopped is None:
            pending.stopped = reason
            self._send(pack_frame(Kind.CANCEL, pending.id))

    def reply(self, pending: Pending, serial: int, answer: bytes) -> None:
        """Answer a host call; dropped when the call is over."""
        if pending.id in self.pending:
            self._send(pack_frame(Kind.REPLY, pending.id, answer, aux=serial))

    def forget_session(self, key: int) -> None:
        """Let the worker free the instance of an ended session."""
        self._send(pack_frame(Kind.FORGET, key))

    def close(self, reason: str = "closed") -> None:
        """End the channel; everything that waits on it fails with :class:`WorkerGone`."""
        if not self.open:
            return
        self.open = False
        self._loop.remove_reader(self._channel)
        self._loop.remove_writer(self._channel)
        self._channel.close()
        gone = WorkerGone(reason)
        if not self.loaded.done():
            self.loaded.set_exception(gone)
            self.loaded.exception()  # nobody may be waiting any more
        left = list(self.pending.values())
        self.pending.clear()
        for pending in left:
            if not pending.answer.done():
                pending.answer.set_exception(gone)
                pending.answer.exception()
            pending.holder.ended(pending)
        self._on_gone(reason)

    def _send_batch(self) -> None:
        if self._batch:
            data = b"".join(self._batch)
            self._batch.clear()
            self._transmit(data)

    def _send(self, data: bytes) -> None:
        if self._batch:  # a CANCEL must not overtake its CALL
            self._batch.append(data)
            self._send_batch()
        else:
            self._transmit(data)

    def _transmit(self, data: bytes) -> None:
        if not self.open:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._channel.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._loop.call_soon(self.close, error.strerror or "broken")
            return
        if sent < len(data):
            self._unsent += memoryview(data)[sent:]
            self._loop.add_writer(self._channel, self._writable)

    def _writable(self) -> None:
        try:
            sent = self._channel.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(error.strerror or "broken")
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._channel)

    def _readable(self) -> None:
        try:
            data = self._channel.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(error.strerror or "broken")
            return
        if not data:
            self.close("the worker closed its channel")
            return
        self._reader.feed(data)
        try:
            while self.open and (frame := self._reader.next()) is not None:
                self._take(*frame)
        except FrameError as error:
            self.close(f"protocol violation: {error}")

    def _take(self, kind: int, status: int, aux: int, call_id: int, payload: bytes) -> None:
        if kind == Kind.LOADED:
            self._take_loaded(payload)
            return
        pending = self.pending.get(call_id)
        if pending is None:
            if kind == Kind.RESULT and call_id == 0 and not self.loaded.done():
                self.loaded.set_exception(LoadRefused(status, payload[_TIMES_SIZE:].decode("utf-8", "replace")))
                return
            raise FrameError(f"a frame of kind {kind} for call {call_id}, which does not run")
        if kind == Kind.RESULT and len(payload) >= _TIMES_SIZE:
            if not status and len(payload) > self._max_output + _TIMES_SIZE:
                raise FrameError(f"an output of {len(payload) - _TIMES_SIZE} bytes, over its limit")
            del self.pending[call_id]
            made, ran = TIMES.unpack_from(payload)
            if not pending.answer.done():
                pending.answer.set_result((status, payload[_TIMES_SIZE:], made, ran))
            pending.holder.ended(pending)
        elif kind == Kind.HOST:
            self._on_host(pending, status, aux, payload)
        elif kind == Kind.PART and pending.parts is not None:
            pending.parts.extend(_items(payload, self._max_output))
        else:
            raise FrameError(f"a frame of kind {kind}, which a worker may not send now")

    def _take_loaded(self, payload: bytes) -> None:
        if self.loaded.done():
            raise FrameError("a second LOADED")
        try:
            facts: object = json.loads(payload)
        except (ValueError, RecursionError):
            raise FrameError("LOADED is not JSON") from None
        if not isinstance(facts, dict):
            raise FrameError("LOADED is no object")
        self.loaded.set_result(cast("dict[str, Any]", facts))


class LoadRefused(Exception):
    """The worker lives, but the engine refused the module."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def _items(payload: bytes, max_output: int) -> list[tuple[int, bytes]]:
    items: list[tuple[int, bytes]] = []
    position = 0
    while position < len(payload):
        if position + ITEM.size > len(payload):
            raise FrameError("a PART that ends inside an item")
        status, length = ITEM.unpack_from(payload, position)
        position += ITEM.size
        if length > len(payload) - position or (not status and length > max_output):
            raise FrameError(f"an item of {length} bytes, more than there are or than its limit")
        items.append((status, payload[position : position + length]))
        position += length
    return items

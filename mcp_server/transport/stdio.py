"""MCP over stdin and stdout, for any client of any era, through the SDK's connection loop.

What this adds to the SDK: the wire without thread hops, an answer to every bad frame, the probe-then-initialize
sequence that some clients send (``server/discover`` first, then a legacy ``initialize`` on the same pipe), and an
end that lets running calls finish.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio
from mcp.server.runner import serve_dual_era_loop
from mcp.shared.message import SessionMessage
from mcp_types import (
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)
from pydantic import ValidationError
from pydantic_core import from_json

from mcp_server.opening.recorder import Recorder
from mcp_server.tools.invoke import Invoker
from mcp_server.transport.frame import Message
from mcp_server.transport.lane.stdio import StdioLane
from mcp_server.transport.mcp_face import McpFace
from mcp_server.transport.probe import discover
from mcp_server.transport.taking_over import TakingOver
from mcp_server.transport.wire import LineWire

__all__ = ["serve_stdio"]

logger = logging.getLogger(__name__)
SUBSCRIBE = "subscriptions/listen"
"""A stream that lasts as long as the connection: nothing to wait for when the input ends."""
LIST_CHANGED: Message = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


class StdioStreams:
    """The SDK's read and write stream over one :class:`LineWire`."""

    def __init__(self, source: int, sink: int, drain_seconds: float) -> None:
        self.wire = LineWire(source, sink, self._arrived, self._ended)
        self._drain_seconds = drain_seconds
        self._inbox: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._over = False
        self._hurried = False
        self._open_requests: set[str | int] = set()
        self._all_answered = asyncio.Event()
        self.lane: StdioLane | None = None
        self.taking_over: TakingOver | None = None
        self.initialized = False  # a legacy client finished its handshake: it may be notified

    @property
    def ending(self) -> bool:
        """Whether the input is over and the last answers are on their way."""
        return self._over

    async def next_message(self) -> Message:
        """The next message; at end of input, after the open requests were answered or the drain time is over.

        Raises:
            anyio.EndOfStream: There will be no more.
        """
        while not self._inbox:
            if self._over:
                await self._drain()
                raise anyio.EndOfStream
            self._wake.clear()
            await self._wake.wait()
        return self._inbox.popleft()

    def hurry(self) -> None:
        """Wait for nobody any more: what is still open is answered as closed."""
        self._hurried = True
        self._all_answered.set()

    def put_back(self, message: Message) -> None:
        """Let :meth:`next_message` give ``message`` again."""
        self._inbox.appendleft(message)

    def answered_in(self, request_id: str | int, line: bytes) -> None:
        """Write an answer that is JSON already, and close its request."""
        taking = self.taking_over
        if taking is None or not taking.answered(request_id, lambda: from_json(line).get("result")):
            self.wire.write_line(line)
        self._close_request(request_id)

    def answered(self, message: Message) -> None:
        """Write an answer and close its request."""
        number, taking = message.get("id"), self.taking_over
        if taking is None or not taking.answered(number, lambda: message.get("result")):
            self.wire.write(message)
        self._close_request(number)

    async def take_over(self, taking: TakingOver) -> None:
        """Go on where the front of the pipes has left off."""
        self.taking_over = taking
        same = await taking.repeat(self._arrived)
        if not same and self.initialized:
            self.wire.write(LIST_CHANGED)
        self.wire.start(taking.opened.unread)

    # --- the SDK's ReadStream -----------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> SessionMessage:
        while True:
            typed = _typed(await self.next_message())
            if typed is not None:
                return SessionMessage(typed)

    # --- the SDK's WriteStream ----------------------------------------------------------------------------------

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        match message:
            case JSONRPCResponse():
                self.answered({"jsonrpc": "2.0", "id": message.id, "result": message.result})
            case JSONRPCError():
                self.answered(message.model_dump(by_alias=True, exclude_unset=True, mode="json"))
            case _:
                self.wire.write(message.model_dump(by_alias=True, exclude_unset=True, mode="json"))
        await self.wire.drain()

    async def aclose(self) -> None:
        """Nothing to close: both streams end with the process's descriptors."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()

    # --- from the wire ------------------------------------------------------------------------------------------

    def _arrived(self, message: Message) -> None:
        if self.taking_over is not None:
            self.taking_over.recorder.arrived(message)
        method = message.get("method")
        if method is not None and "id" in message:
            if method != SUBSCRIBE:
                self._open_requests.add(message["id"])
            if self.lane is not None and not self._inbox and self.lane.take(message):
                return
        elif method == "notifications/cancelled":
            params: Message = message.get("params") or {}
            self._close_request(params.get("requestId"))  # it gets no answer
            if self.lane is not None:
                self.lane.cancel(params.get("requestId"))
        elif method == "notifications/initialized":
            self.initialized = True
        self._inbox.append(message)
        self._wake.set()

    def _ended(self) -> None:
        self._over = True
        self._wake.set()

    def _close_request(self, request_id: object) -> None:
        if isinstance(request_id, str | int):
            self._open_requests.discard(request_id)
        if not self._open_requests:
            self._all_answered.set()

    async def _drain(self) -> None:
        with anyio.move_on_after(self._drain_seconds):
            while self._open_requests and not self.wire.broken and not self._hurried:
                self._all_answered.clear()
                await self._all_answered.wait()


def _typed(message: Message) -> JSONRPCRequest | JSONRPCNotification | JSONRPCResponse | JSONRPCError | None:
    """The SDK's message for a frame that the wire found well-formed."""
    params = message.get("params")
    if "method" in message:
        if "id" in message:
            return JSONRPCRequest(jsonrpc="2.0", id=message["id"], method=message["method"], params=params)
        return JSONRPCNotification(jsonrpc="2.0", method=message["method"], params=params)
    try:
        if "result" in message:
            return JSONRPCResponse(jsonrpc="2.0", id=message["id"], result=message["result"])
        return JSONRPCError(jsonrpc="2.0", id=message["id"], error=ErrorData.model_validate(message["error"]))
    except ValidationError:
        logger.warning("a response with an unusable id or error was dropped")
        return None


async def _answer_probes(face: McpFace, streams: StdioStreams) -> None:
    """Answer leading ``server/discover`` requests without letting them choose the era; the first other one does."""
    while True:
        message = await streams.next_message()
        if message.get("method") != "server/discover" or "id" not in message:
            streams.put_back(message)
            return
        streams.answered(await discover(face, message))


async def serve_stdio(
    face: McpFace,
    source: int,
    sink: int,
    *,
    drain_seconds: float,
    ending: Callable[[], None] | None = None,
    invoker: Invoker | None = None,
    recorder: Recorder | None = None,
) -> None:
    """Serve one client until its input ends or the process is asked to end; running calls may finish.

    Args:
        face: What is served.
        source: Descriptor to read requests from.
        sink: Descriptor that carries JSON-RPC and nothing else.
        drain_seconds: How long open requests may take after the end of input.
        ending: Called when the process is asked to end.
        invoker: Calls the tools of plain requests past the SDK; they take its way when omitted.
        recorder: Knows what was answered before there was a server; nothing was when omitted.
    """
    streams = StdioStreams(source, sink, drain_seconds)
    if invoker is not None:
        streams.lane = StdioLane(face, invoker, streams.answered_in)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, streams, ending)
        tasks.start_soon(_tell_changes, face, streams)
        if recorder is None:
            streams.wire.start()
        else:
            taking = TakingOver(recorder)
            tasks.start_soon(streams.take_over, taking)
            tasks.start_soon(taking.keep)
        try:
            await _answer_probes(face, streams)
            options = face.initialization_options()
            await serve_dual_era_loop(face.server, streams, streams, lifespan_state={}, init_options=options)
        except anyio.EndOfStream:
            pass
        finally:
            tasks.cancel_scope.cancel()
            if streams.lane is not None:
                await streams.lane.end()
    with anyio.move_on_after(1, shield=True):
        await streams.wire.flush()


async def _end_on_signal(streams: StdioStreams, ending: Callable[[], None] | None) -> None:
    """The first SIGTERM or SIGINT ends reading and drains; the second ends at once.

    One that comes when the input is over already ends the drain: clients close stdin, wait 2 s, and then send it.
    """
    asked = False
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            if asked:
                os._exit(128 + number)
            asked = True
            if ending is not None:
                ending()
            if streams.ending:
                streams.hurry()
                continue
            streams.wire.stop_reading()
            logger.info("%s: no more requests are read, the open ones may finish", signal.Signals(number).name)


async def _tell_changes(face: McpFace, streams: StdioStreams) -> None:
    """Tell the client when the tool list changes, in its own era."""
    while True:
        await face.wait_changed()
        await face.announce()
        if streams.initialized:
            streams.wire.write(LIST_CHANGED)

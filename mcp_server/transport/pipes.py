"""One client on two descriptors: its messages in order, which of them are open, and an end that lets calls finish.

Nothing of the SDK is imported here: calls of a client that the front has answered are the lane's, and the SDK comes
when a message needs it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from pydantic_core import from_json

from mcp_server.host import PluginHost
from mcp_server.opening.recorder import Recorder
from mcp_server.tools.invoke import Invoker
from mcp_server.transport.ending import ask_on_signal
from mcp_server.transport.face import Face
from mcp_server.transport.frame import Message
from mcp_server.transport.lane.stdio import StdioLane
from mcp_server.transport.lane.terms import Terms
from mcp_server.transport.taking_over import TakingOver
from mcp_server.transport.wire import LineWire

__all__ = ["Pipes", "serve_pipes", "tell_changes"]

logger = logging.getLogger(__name__)
SUBSCRIBE = "subscriptions/listen"
"""A stream that lasts as long as the connection: nothing to wait for when the input ends."""
LOOK_SECONDS = 1.0
LIST_CHANGED: Message = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


class Pipes:
    """What came and was not answered yet.

    Args:
        source: Descriptor to read requests from.
        sink: Descriptor that carries JSON-RPC and nothing else.
        drain_seconds: How long open requests may take after the end of input.
        taking_over: What was done before; nothing when omitted.
    """

    def __init__(self, source: int, sink: int, drain_seconds: float, taking_over: TakingOver | None = None) -> None:
        self.wire = LineWire(source, sink, self._arrived, self._ended)
        self._drain_seconds = drain_seconds
        self._inbox: deque[Message] = deque()
        self._held: deque[Message] | None = None
        self._wake = asyncio.Event()
        self._over = self._hurried = self._wanted = False
        self._open_requests: set[str | int] = set()
        self._all_answered = asyncio.Event()
        self.lane: StdioLane | None = None
        self.taking_over = taking_over
        self.initialized = taking_over is not None and taking_over.initialized
        """Whether a client of a handshake era may be notified."""

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
            if self._over and self._held is None:
                await self._drain()
                raise anyio.EndOfStream
            self._wake.clear()
            await self._wake.wait()
        return self._inbox.popleft()

    async def left_over(self) -> bool:
        """Wait for a message that the lane leaves, or until :meth:`want_server`; False at the end of the client."""
        while not self._inbox and not self._wanted:
            if self._over:
                await self._drain()
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    def want_server(self) -> None:
        """Let :meth:`left_over` end."""
        self._wanted = True
        self._wake.set()

    def hold(self) -> None:
        """Keep what came, and what comes, behind what :meth:`repeat` brings."""
        self._held, self._inbox = self._inbox, deque()

    async def repeat(self, taking: TakingOver) -> None:
        """Let the SDK have what the client said before; then what was held back."""
        same = await taking.repeat(self._deliver)
        if self._held is not None:
            self._inbox.extend(self._held)
            self._held = None
        if not same and self.initialized:
            self.wire.write(LIST_CHANGED)
        self._wake.set()

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

    # --- from the wire ------------------------------------------------------------------------------------------

    def _arrived(self, message: Message) -> None:
        taking = self.taking_over
        if taking is not None:
            taking.arrived(message)
        method = message.get("method")
        if method is not None and "id" in message:
            if method != SUBSCRIBE:
                self._open_requests.add(message["id"])
            if not self._inbox and self._held is None and self._is_answered(message):
                return
        elif method == "notifications/cancelled":
            params: Message = message.get("params") or {}
            self._close_request(params.get("requestId"))  # it gets no answer
            if self.lane is not None:
                self.lane.cancel(params.get("requestId"))
                if not self.lane.terms.has_server and not self._inbox:
                    return  # there is nobody else yet who could be answering it
        elif method == "notifications/initialized":
            self.initialized = True
        if self._held is not None:
            self._held.append(message)
        else:
            self._deliver(message)

    def _is_answered(self, message: Message) -> bool:
        """Whether ``message`` was answered, or will be, past the SDK."""
        if self.lane is None:
            return False
        if self.lane.take(message):
            return True
        line = self.taking_over.remembered(message) if self.taking_over is not None else None
        if line is not None:
            self.answered_in(message["id"], line)
        return line is not None

    def _deliver(self, message: Message) -> None:
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


async def serve_pipes(
    host: PluginHost,
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
        host: What is served.
        source: Descriptor to read requests from.
        sink: Descriptor that carries JSON-RPC and nothing else.
        drain_seconds: How long open requests may take after the end of input.
        ending: Called when the process is asked to end.
        invoker: Calls the tools of plain requests past the SDK; they take its way when omitted.
        recorder: Knows what was answered before there was a server; nothing was when omitted.
    """
    pipes = Pipes(source, sink, drain_seconds, TakingOver(recorder) if recorder is not None else None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_on_signal, partial(_end_in_order, pipes, ending))
        try:
            if invoker is None or await _left_by_lane(pipes, host, invoker):
                serve = await anyio.to_thread.run_sync(_with_sdk)
                await serve(pipes, host, invoker)
        finally:
            tasks.cancel_scope.cancel()
            if pipes.lane is not None:
                await pipes.lane.end()
    with anyio.move_on_after(1, shield=True):
        await pipes.wire.flush()


def _with_sdk() -> Callable[..., Any]:
    from mcp_server.transport.stdio import serve_stdio  # noqa: PLC0415  # the SDK is half a second of imports

    return serve_stdio


async def _left_by_lane(pipes: Pipes, host: PluginHost, invoker: Invoker) -> bool:
    """Serve what the lane can, for a client that the front has answered; whether anything is left for the SDK."""
    taking = pipes.taking_over
    if taking is None or not taking.era:
        return True
    face = Face(host)
    face.era = taking.era
    pipes.lane = StdioLane(face, invoker, pipes.answered_in, Terms(None, taking.opened.learned))
    left = False
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell_changes, face, pipes)
        tasks.start_soon(_look_again, pipes, taking)
        pipes.wire.start(taking.opened.unread)
        left = await pipes.left_over()
        tasks.cancel_scope.cancel()
    return left


async def _look_again(pipes: Pipes, taking: TakingOver) -> None:
    """What the client was told may be of other files than those that are served; the SDK then compares the lists."""
    await anyio.sleep(LOOK_SECONDS)
    if await anyio.to_thread.run_sync(taking.recorder.outdated):
        pipes.want_server()


def _end_in_order(pipes: Pipes, ending: Callable[[], None] | None, asked: signal.Signals) -> None:
    """End reading and drain.

    A signal that comes when the input is over already ends the drain: clients close stdin, wait 2 s, and then send it.
    """
    if ending is not None:
        ending()
    if pipes.ending:
        pipes.hurry()
        return
    pipes.wire.stop_reading()
    logger.info("%s: no more requests are read, the open ones may finish", asked.name)


async def tell_changes(face: Face, pipes: Pipes) -> None:
    """Tell the client when the tool list changes, in its own era."""
    while True:
        await face.wait_changed()
        await face.announce()
        if pipes.initialized:
            pipes.wire.write(LIST_CHANGED)

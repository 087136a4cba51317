"""MCP over stdin and stdout, for any client of any era, through the SDK's connection loop.

What this adds to the SDK: the wire without thread hops, an answer to every bad frame, the probe-then-initialize
sequence that some clients send (``server/discover`` first, then a legacy ``initialize`` on the same pipe), and an
end that lets running calls finish.
"""

from __future__ import annotations

import logging
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

from mcp_server.host import PluginHost
from mcp_server.tools.invoke import Invoker
from mcp_server.transport.frame import Message
from mcp_server.transport.lane.stdio import StdioLane
from mcp_server.transport.lane.terms import Terms
from mcp_server.transport.mcp_face import McpFace
from mcp_server.transport.pipes import Pipes, tell_changes
from mcp_server.transport.probe import discover

__all__ = ["serve_face", "serve_stdio"]

logger = logging.getLogger(__name__)


class StdioStreams:
    """The SDK's read and write stream over :class:`Pipes`."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> SessionMessage:
        while True:
            typed = _typed(await self._pipes.next_message())
            if typed is not None:
                return SessionMessage(typed)

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        match message:
            case JSONRPCResponse():
                self._pipes.answered({"jsonrpc": "2.0", "id": message.id, "result": message.result})
            case JSONRPCError():
                self._pipes.answered(message.model_dump(by_alias=True, exclude_unset=True, mode="json"))
            case _:
                self._pipes.wire.write(message.model_dump(by_alias=True, exclude_unset=True, mode="json"))
        await self._pipes.wire.drain()

    async def aclose(self) -> None:
        """Nothing to close: both streams end with the process's descriptors."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()


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


async def _answer_probes(face: McpFace, pipes: Pipes) -> None:
    """Answer leading ``server/discover`` requests without letting them choose the era; the first other one does."""
    while True:
        message = await pipes.next_message()
        if message.get("method") != "server/discover" or "id" not in message:
            pipes.put_back(message)
            return
        pipes.answered(await discover(face, message))


async def serve_stdio(pipes: Pipes, host: PluginHost, invoker: Invoker | None) -> None:
    """Serve one client through the SDK, until there are no more messages.

    Args:
        pipes: Where it is; they are read from now on, if they were not before.
        host: What is served.
        invoker: Calls the tools of plain requests past the SDK; they take its way when omitted.
    """
    await serve_face(pipes, McpFace(host), invoker)


async def serve_face(pipes: Pipes, face: McpFace, invoker: Invoker | None = None) -> None:
    """As :func:`serve_stdio`, with the server object that is said."""
    taking, started = pipes.taking_over, pipes.lane is not None
    if pipes.lane is not None:
        pipes.lane.terms.ask(face.server)
    elif invoker is not None:
        pipes.lane = StdioLane(face, invoker, pipes.answered_in, Terms(face.server))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell_changes, face, pipes)
        if taking is not None:
            pipes.hold()
            taking.ask(pipes.lane and pipes.lane.terms)
            tasks.start_soon(pipes.repeat, taking)
            tasks.start_soon(taking.keep)
        if not started:
            pipes.wire.start(taking.opened.unread if taking is not None else b"")
        try:
            await _answer_probes(face, pipes)
            streams, options = StdioStreams(pipes), face.initialization_options()
            await serve_dual_era_loop(face.server, streams, streams, lifespan_state={}, init_options=options)
        except anyio.EndOfStream:
            pass
        finally:
            tasks.cancel_scope.cancel()

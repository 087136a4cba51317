"""Requests on the pipes that need nothing but their result, answered past the SDK once it has settled the era."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from mcp_server.tools.catalog import Tool
from mcp_server.tools.invoke import Invoker
from mcp_server.transport.face import Face
from mcp_server.transport.frame import CONNECTION_CLOSED, INTERNAL_ERROR, Message, correlated
from mcp_server.transport.identity import LOCAL
from mcp_server.transport.lane.message import Request, error_message, result_message
from mcp_server.transport.lane.plain import PlainRequests
from mcp_server.transport.lane.terms import SESSION_VERSIONS, Terms, is_modern

__all__ = ["StdioLane"]

logger = logging.getLogger(__name__)
SESSION = "stdio"
_KEYS = {"jsonrpc", "id", "method", "params"}
RequestId = str | int
Answered = Callable[[RequestId, bytes], None]


class StdioLane:
    """Of one client.

    Tasks of asyncio and not of anyio, whose start costs three times as much (25 µs against 8, Python 3.11).

    Args:
        face: What is served.
        invoker: Calls its tools.
        answered: Takes the JSON of an answer, and the id of its request.
        terms: On which requests are answered.
    """

    def __init__(self, face: Face, invoker: Invoker, answered: Answered, terms: Terms) -> None:
        self._face, self._answered = face, answered
        self._plain = PlainRequests(face, invoker, terms)
        self._loop = asyncio.get_running_loop()
        self._calls: dict[RequestId, asyncio.Task[None]] = {}
        self._cancelled: set[RequestId] = set()

    @property
    def terms(self) -> Terms:
        """On which requests are answered."""
        return self._plain.terms

    def take(self, message: Message) -> bool:
        """Answer ``message``, now or later; False where it is the SDK's."""
        version = self._face.era
        if not is_modern(version) and version not in SESSION_VERSIONS:
            return False
        params: dict[str, Any] | None = message.get("params", {})  # nothing else passed the wire
        if params is None or {"params", *message} != _KEYS or not self._plain.terms.takes(params, version):
            return False
        request = Request(message["id"], message["method"], params)
        asked, key = self._plain.asked(request, LOCAL, version), correlated(request.id)
        if isinstance(asked, bytes):
            self._answer(request.id, asked)
            return True
        if asked is None or key in self._calls:
            return False
        task = self._calls[key] = self._loop.create_task(self._call(request, asked, version))
        task.add_done_callback(partial(self._ended, request.id))
        return True

    def cancel(self, request: object) -> None:
        """The client wants no answer to a request any more, and gets none."""
        key = correlated(request) if isinstance(request, str | int) else None
        task = self._calls.get(key) if key is not None else None
        if key is not None and task is not None:
            self._cancelled.add(key)
            task.cancel()

    async def end(self) -> None:
        """End what runs: the connection is closed."""
        tasks = list(self._calls.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
            await asyncio.sleep(0)  # their callbacks write the last answers

    async def _call(self, request: Request, tool: Tool, version: str) -> None:
        result = await self._plain.call(request, tool, LOCAL, SESSION, version)
        self._answer(request.id, self._plain.terms.result(result, version))

    def _answer(self, request: RequestId, result: bytes) -> None:
        self._answered(request, result_message(request, result))

    def _ended(self, request: RequestId, task: asyncio.Task[None]) -> None:
        """Also of a task that was cancelled before its first step."""
        key = correlated(request)
        del self._calls[key]
        if task.cancelled():
            if key not in self._cancelled:
                self._fail(request, CONNECTION_CLOSED, "Connection closed")
            self._cancelled.discard(key)
        elif task.exception() is not None:
            logger.error("request %s was not answered", request, exc_info=task.exception())
            self._fail(request, INTERNAL_ERROR, "the answer cannot be written as JSON")

    def _fail(self, request: RequestId, code: int, message: str) -> None:
        self._answered(request, error_message(request, code, message))

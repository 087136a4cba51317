"""What the front of the pipes has told a client before there was a server, and how the server comes to know of it.

The SDK is told all that the client said; its answers go nowhere, and are compared with what the client was told. What
the client says from there on is the server's, and its first answers are written down for the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
from pydantic_core import from_json, to_json

from mcp_server.opening.conversation import ENVELOPE, INITIALIZE, INITIALIZED, LIST, Conversation
from mcp_server.opening.recorder import Recorder
from mcp_server.transport.frame import Message
from mcp_server.transport.lane.message import result_message
from mcp_server.transport.lane.terms import Terms

__all__ = ["TakingOver"]

logger = logging.getLogger(__name__)
KEEP_SECONDS = 0.5
"""After the last new answer: who waits for the next one comes first."""


class TakingOver:
    """Of one client.

    Args:
        recorder: Knows what the front has done, and writes down what is answered.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.opened, self.recorder = recorder.opened, recorder
        self._conversation = Conversation()
        self._terms: Terms | None = None
        self._results: dict[str, asyncio.Future[Any]] = {}
        self._messages: list[Message] = []
        self.initialized = False
        """Whether a client of a handshake era has said that it may be notified."""
        for number, (said, _) in enumerate(self.opened.heard):
            # An id that no client has: it is not the client that is answered.
            message = said.message if said.id is None else {**said.message, "id": f"again {number} {id(self)}"}
            self._messages.append(message)
            self.recorder.arrived(message)
            self.initialized = self.initialized or said.method == INITIALIZED
            if said.id is None:
                self._conversation.notified(said.method, said.params)
            else:
                self._conversation.next(said.method, said.params)

    @property
    def era(self) -> str:
        """The protocol version that was settled on; empty where none was."""
        for said, told in self.opened.heard:
            if said.method == INITIALIZE and told is not None:
                return from_json(told)["protocolVersion"] if self.initialized else ""
            if said.method == LIST and not self.initialized and said.params is not None:
                return said.params["_meta"][ENVELOPE]
        return ""

    def arrived(self, message: Message) -> None:
        """Take a message that no front has seen."""
        self.recorder.arrived(message)
        params: dict[str, Any] = message.get("params") or {}
        meta: dict[str, Any] | None = params.get("_meta")
        if self._terms is not None and self.recorder.listening and isinstance(meta, dict) and ENVELOPE in meta:
            self._terms.takes({"_meta": meta}, str(meta[ENVELOPE]))  # calls will come with the same one

    def remembered(self, message: Message) -> bytes | None:
        """The answer to a request that came after the front and is remembered; None once there is the SDK to ask."""
        if self._terms is not None or self.recorder.stopped:
            return None
        name = self._conversation.next(message["method"], message.get("params"))
        told = self.opened.known.get(name) if name is not None else None
        return None if told is None else result_message(message["id"], told.encode())

    def ask(self, terms: Terms | None) -> None:
        """From now on there is the SDK."""
        self._terms = terms
        if terms is not None:
            self.recorder.learned = terms.learned

    async def repeat(self, deliver: Callable[[Message], None]) -> bool:
        """Deliver what the client said to the front, one by one; whether it was told the list that is served."""
        same = True
        for message, (said, told) in zip(self._messages, self.opened.heard, strict=True):
            if told is None:
                deliver(message)
                continue
            result = self._results[message["id"]] = asyncio.get_running_loop().create_future()
            deliver(message)
            if await result != from_json(told):
                logger.info("%s was answered from memory, and would be answered otherwise now", said.method)
                same = same and said.method != LIST
        return same

    def answered(self, request: object, result: Callable[[], Any]) -> bool:
        """Take an answer, the value of its result or None for an error; whether the client has it already."""
        self.recorder.answered(request, lambda: _text(result()))
        waiting = self._results.pop(request, None) if isinstance(request, str) else None
        if waiting is not None:
            waiting.set_result(from_json(to_json(result(), inf_nan_mode="null")))
        return waiting is not None

    async def keep(self) -> None:
        """Write down what is answered, some time after it was; until cancelled, and then once more."""
        new = self.recorder.new
        try:
            while True:
                await new.wait()
                new.clear()
                await anyio.sleep(KEEP_SECONDS)
                await anyio.to_thread.run_sync(self.recorder.keep)
        finally:
            self.recorder.keep()


def _text(result: Any) -> str | None:
    return None if result is None else to_json(result, inf_nan_mode="null").decode()

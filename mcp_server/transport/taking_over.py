"""What the front of the pipes has told a client before there was a server, and how the server comes to know of it.

The server is told all that the client said; its answers go nowhere, and are compared with what the client was told.
What the client says from there on is the server's, and its first answers are written down for the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
from pydantic_core import from_json, to_json

from mcp_server.opening.conversation import LIST
from mcp_server.opening.recorder import Recorder
from mcp_server.transport.frame import Message

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
        self._repeated: str | int | None = None
        self._result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def repeat(self, arrive: Callable[[Message], None]) -> bool:
        """Let everything arrive that the client said to the front; whether it was told the list that is served.

        One after the other, because a client may have used an id again.
        """
        same = True
        for said, told in self.opened.heard:
            if said.id is None or told is None:
                arrive(said.message)
                continue
            self._repeated, self._result = said.id, asyncio.get_running_loop().create_future()
            arrive(said.message)
            if await self._result != from_json(told):
                logger.info("%s was answered from memory, and would be answered otherwise now", said.method)
                same = same and said.method != LIST
        return same

    def answered(self, request: object, result: Callable[[], Any]) -> bool:
        """Take an answer, the value of its result or None for an error; whether the client has it already."""
        self.recorder.answered(request, lambda: _text(result()))
        if self._repeated is None or request != self._repeated:
            return False
        self._repeated = None
        self._result.set_result(from_json(to_json(result(), inf_nan_mode="null")))
        return True

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

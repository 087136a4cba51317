"""Host functions asked as the bridge asks them: JSON bytes in, an envelope out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.backends.base import Store
from mcp_server.backends.sqlite import SqliteStore
from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal
from mcp_server.policy.limits import Limits
from mcp_server.policy.rights import CAPABILITIES, Rights
from tests.backends.conftest import Clock

__all__ = ["Ask", "asker"]

Ask = Callable[..., Awaitable[dict[str, Any]]]
RIGHTS = Rights(frozenset(CAPABILITIES), frozenset(), frozenset(CAPABILITIES))


def context(principal: str = "ann", plugin: str = "notes") -> CallContext:
    """A call of ``principal`` to ``plugin``."""
    return CallContext(plugin, principal, "session", "call", RIGHTS, Limits(), {}, 0, 0.0, lambda _: None)


def asker(functions: Iterable[HostFunction]) -> Ask:
    """Ask by name: the ``data`` of the answer, or the refusal as ``{"code", "error", …}``."""
    offered = {function.name: function for function in functions}

    async def ask(name: str, request: dict[str, Any], **who: str) -> dict[str, Any]:
        request = json.loads(json.dumps(request))
        try:
            answer = offered[name].answer(context(**who), request)
            answer = await answer if offered[name].waits else answer
        except HostRefusal as refusal:
            return {"code": refusal.code, "error": refusal.message, **refusal.data}
        return json.loads(json.dumps(answer))

    return ask


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Generator[Store]:
    opened = SqliteStore(tmp_path / "store.db", clock=clock)
    yield opened
    opened.close()

"""MemoryAccess: ``add_memory``, ``get_memory``, ``update_memory``, ``delete_memory``, ``search_memories``.

Whose memories: the principal's, of the context. Which of them: those of the plugin's own space, unless the operator
gave it another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mcp_server.backends.values import MemoryRecord
from mcp_server.capabilities.base import CallContext, HostFunction
from mcp_server.capabilities.requests import checked, refusing
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.model import memory_as_json
from mcp_server.memory.requests import AddMemory, DeleteMemory, GetMemory, SearchMemories, UpdateMemory
from mcp_server.memory.search import Found

__all__ = ["found_as_json", "functions"]

T = TypeVar("T")


class _Memory:
    def __init__(self, engine: MemoryEngine, space: Callable[[CallContext], str]) -> None:
        self._engine, self._space = engine, space
        self._caller = engine.store.caller

    async def add_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "add_memory", AddMemory, request)
        added = await self._write(
            "add_memory", lambda: self._engine.add(context.principal, self._space(context), asked)
        )
        return {**_memory(added.record), "duplicate": added.duplicate}

    async def get_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "get_memory", GetMemory, request)
        return _memory(
            await self._write("get_memory", lambda: self._engine.get(context.principal, self._space(context), asked.id))
        )

    async def update_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "update_memory", UpdateMemory, request)
        return _memory(
            await self._write(
                "update_memory", lambda: self._engine.update(context.principal, self._space(context), asked)
            )
        )

    async def delete_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "delete_memory", DeleteMemory, request)
        deleted = await self._write(
            "delete_memory", lambda: self._engine.delete(context.principal, self._space(context), asked)
        )
        return {"deleted": deleted}

    async def search_memories(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "search_memories", SearchMemories, request)
        with refusing("search_memories"):
            found = await self._caller.away(lambda: self._engine.search(context.principal, self._space(context), asked))
        return found_as_json(found)

    async def _write(self, name: str, work: Callable[[], T]) -> T:
        with refusing(name):
            if self._engine.embeds:  # a model takes milliseconds, or asks the network
                return await self._caller.away(work)
            return await self._caller.soon(work)


def functions(
    engine: MemoryEngine, *, space: Callable[[CallContext], str] = lambda context: context.plugin
) -> tuple[HostFunction, ...]:
    """The host functions over ``engine``.

    Args:
        engine: The memory engine.
        space: Whose memories of the principal a plugin works on: its own, or what its grant names.
    """
    memory = _Memory(engine, space)
    return (
        HostFunction("add_memory", memory.add_memory, waits=True),
        HostFunction("get_memory", memory.get_memory, waits=True),
        HostFunction("update_memory", memory.update_memory, waits=True),
        HostFunction("delete_memory", memory.delete_memory, waits=True),
        HostFunction("search_memories", memory.search_memories, waits=True),
    )


def found_as_json(found: Found) -> dict[str, Any]:
    """``{"results": [{"memory", "score", "explanation"?}], "mode", "corrections", "uncovered"}``."""
    results: list[dict[str, Any]] = []
    for hit in found.hits:
        result: dict[str, Any] = {**_memory(hit.record), "score": hit.score}
        if hit.explanation is not None:
            result["explanation"] = dict(hit.explanation)
        results.append(result)
    return {
        "results": results,
        "mode": found.mode,
        "corrections": dict(found.corrections),
        "uncovered": found.uncovered,
    }


def _memory(record: MemoryRecord) -> dict[str, Any]:
    return {"memory": memory_as_json(record)}

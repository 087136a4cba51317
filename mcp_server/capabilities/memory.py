"""MemoryAccess: ``add_memory``, ``get_memory``, ``update_memory``, ``delete_memory``, ``search_memories``.

Whose memories: the principal's, of the context. Which of them: those of the plugin's own space, unless the operator
gave it another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_server.backends.values import MemoryRecord
from mcp_server.capabilities.base import CallContext, HostFunction
from mcp_server.capabilities.requests import checked, refusing
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.hooked import HookedMemory
from mcp_server.memory.hooks import Scope
from mcp_server.memory.model import memory_as_json
from mcp_server.memory.requests import AddMemory, DeleteMemory, GetMemory, SearchMemories, UpdateMemory
from mcp_server.memory.search import Found

__all__ = ["found_as_json", "functions"]


class _Memory:
    def __init__(self, memory: HookedMemory, space: Callable[[CallContext], str]) -> None:
        self._memory, self._space = memory, space

    async def add_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "add_memory", AddMemory, request)
        with refusing("add_memory"):
            added = await self._memory.add(self._scope(context), asked)
        return {**_memory(added.record), "duplicate": added.duplicate}

    async def get_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "get_memory", GetMemory, request)
        with refusing("get_memory"):
            return _memory(await self._memory.get(self._scope(context), asked.id))

    async def update_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "update_memory", UpdateMemory, request)
        with refusing("update_memory"):
            return _memory(await self._memory.update(self._scope(context), asked))

    async def delete_memory(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "delete_memory", DeleteMemory, request)
        with refusing("delete_memory"):
            return {"deleted": await self._memory.delete(self._scope(context), asked)}

    async def search_memories(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        asked = checked(context, "search_memories", SearchMemories, request)
        with refusing("search_memories"):
            return found_as_json(await self._memory.search(self._scope(context), asked))

    def _scope(self, context: CallContext) -> Scope:
        space = self._space(context)
        return Scope(context.principal, space, context.session, context.depth, context.in_hook, context.bounds)


def functions(
    memory: MemoryEngine | HookedMemory, *, space: Callable[[CallContext], str] = lambda context: context.plugin
) -> tuple[HostFunction, ...]:
    """The host functions over ``memory``.

    Args:
        memory: The memory engine, with hooks or without.
        space: Whose memories of the principal a plugin works on: its own, or what its grant names.
    """
    asked = _Memory(memory if isinstance(memory, HookedMemory) else HookedMemory(memory), space)
    return (
        HostFunction("add_memory", asked.add_memory, waits=True),
        HostFunction("get_memory", asked.get_memory, waits=True),
        HostFunction("update_memory", asked.update_memory, waits=True),
        HostFunction("delete_memory", asked.delete_memory, waits=True),
        HostFunction("search_memories", asked.search_memories, waits=True),
    )


def found_as_json(found: Found) -> dict[str, Any]:
    """``{"results": [{"memory", "score", "explanation"?, "annotations"?}], "mode", "corrections", "uncovered"}``."""
    results: list[dict[str, Any]] = []
    for hit in found.hits:
        result: dict[str, Any] = {**_memory(hit.record), "score": hit.score}
        if hit.explanation is not None:
            result["explanation"] = dict(hit.explanation)
        if hit.annotations is not None:
            result["annotations"] = dict(hit.annotations)
        results.append(result)
    return {
        "results": results,
        "mode": found.mode,
        "corrections": dict(found.corrections),
        "uncovered": found.uncovered,
    }


def _memory(record: MemoryRecord) -> dict[str, Any]:
    return {"memory": memory_as_json(record)}

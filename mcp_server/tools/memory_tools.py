"""``memory__add`` … ``memory__list``: the memory engine as tools of the host's own, for MCP clients themselves.

They go the way of every call (schemas, limits, turnstile, record); only what runs them is the host, not a worker.
They work on the principal's own memories: no plugin's space, unless the operator shares it with one.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from pydantic_core import from_json

from mcp_server.capabilities.base import CallContext
from mcp_server.errors import AgentMemError
from mcp_server.manifest import JsonSchema
from mcp_server.memory.bounds import UNBOUND, Bounds
from mcp_server.memory.hooks import PRINCIPAL_SPACE, Scope
from mcp_server.policy.limits import Limits, exceeded, resolve_limits
from mcp_server.policy.rights import decide_rights
from mcp_server.runtime.audited import Record, note_call
from mcp_server.runtime.outcome import CallResult
from mcp_server.settings import PluginSettings, Settings
from mcp_server.tools.catalog import SEPARATOR, Tool, ToolAnnotations
from mcp_server.tools.json_text import write
from mcp_server.tools.memory_schemas import INPUTS, OUTPUTS

if TYPE_CHECKING:
    from mcp_server.memory.hooked import HookedMemory

__all__ = ["OWNER", "MemoryRunner", "every_memory_tool", "memory_tools", "own_scope", "own_tools"]

OWNER = "memory"
"""What the tools are listed and counted under, and ``[plugins.memory.limits]`` names."""
_HOST_NAMES = {"add": "add_memory", "update": "update_memory", "delete": "delete_memory"}
"""What the audit log calls the tools that write: the operation's own name, whoever asks for it."""
Answer = Callable[["HookedMemory", Scope, dict[str, Any]], Awaitable[dict[str, Any]]]


def own_scope(principal: str, session: str = "", depth: int = 0, bounds: Bounds = UNBOUND) -> Scope:
    """The memories of a principal that are no plugin's."""
    return Scope(principal, PRINCIPAL_SPACE, session, depth, bounds=bounds)


class MemoryRunner:
    """Runs the memory tools in the host.

    Args:
        memories: Gives the engine; called first when a tool is, so that listing tools opens no store.
        limits: Of one call.
        record: The audit log, told of every call that may change a memory.
    """

    def __init__(self, memories: Callable[[], HookedMemory], limits: Limits, record: Record | None = None) -> None:
        self._memories, self.limits, self._record = memories, limits, record

    def leased(self) -> AbstractContextManager[None]:
        """Nothing to hold: the host's own tools are not reloaded."""
        return nullcontext()

    async def call(self, function: str, data: bytes, context: CallContext) -> CallResult:
        """Run one tool.

        Raises:
            AgentMemError: What the engine refused, or a limit.
        """
        started = time.perf_counter_ns()
        answer: dict[str, Any] | None = None
        code = "cancelled"  # unless it comes to an end
        try:
            answer = await self._answer(function, data, context)
            code = "ok"
        except AgentMemError as error:
            code = error.error_code
            raise
        finally:
            if self._record is not None:
                note_call(self._record, context, _HOST_NAMES.get(function, ""), data, None, code, answer)
        output = write(answer)
        if len(output) > self.limits.output_bytes:
            raise exceeded("output_bytes", self.limits, plugin=OWNER, used=len(output))
        return CallResult(output, 0, time.perf_counter_ns() - started)

    async def _answer(self, function: str, data: bytes, context: CallContext) -> dict[str, Any]:
        scope = own_scope(context.principal, context.session, context.depth, context.bounds)
        try:
            with anyio.fail_after(self.limits.execution_time / 1_000):
                return await _ANSWERS[function](self._memories(), scope, from_json(data))
        except TimeoutError:
            raise exceeded("execution_time", self.limits, plugin=OWNER) from None


def own_tools(settings: Settings, memories: Callable[[], HookedMemory], record: Record | None = None) -> list[Tool]:
    """The catalogue's entries under ``settings``; none where they are switched off."""
    enabled = settings.memory.tools and settings.plugins.get(OWNER, PluginSettings()).enabled
    return every_memory_tool(settings, memories, record) if enabled else []


def every_memory_tool(
    settings: Settings, memories: Callable[[], HookedMemory], record: Record | None = None
) -> list[Tool]:
    """The same, whether or not clients are shown them."""
    limits = settings.plugins.get(OWNER, PluginSettings()).limits
    return memory_tools(MemoryRunner(memories, resolve_limits({}, limits), record))


def memory_tools(runner: MemoryRunner) -> list[Tool]:
    """The catalogue's entries."""
    rights = decide_rights(("MemoryAccess",), (), ())
    return [
        Tool(
            name=f"{OWNER}{SEPARATOR}{word}",
            title=spec.title,
            description=spec.description,
            plugin=OWNER,
            function=word,
            operation=None,
            takes="json",
            result="json",
            input=JsonSchema(INPUTS[word]),
            output=JsonSchema(OUTPUTS[word]),
            annotations=ToolAnnotations(spec.read_only, spec.destructive, spec.idempotent, open_world=False),
            rights=rights,
            limits=runner.limits,
            config={},
            runner=runner,
        )
        for word, spec in _SPECS.items()
    ]


@dataclass(frozen=True, slots=True)
class _Spec:
    title: str
    description: str
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False


_SPECS: dict[str, _Spec] = {
    "add": _Spec(
        "Remember something",
        "Store a text so that it is found again in later conversations. The same text is stored once. Keep one fact "
        "to a memory, and write it so that it can be understood alone.",
    ),
    "delete": _Spec(
        "Forget a memory",
        "Delete one memory by its id. Answers whether there was one.",
        destructive=True,
        idempotent=True,
    ),
    "get": _Spec("Read a memory", "Read one memory by its id.", read_only=True, idempotent=True),
    "list": _Spec(
        "List memories",
        "List memories, the newest first, a page at a time. To find something use memory__search.",
        read_only=True,
        idempotent=True,
    ),
    "search": _Spec(
        "Search memories",
        "Find memories that fit a question, the best first. Search before you answer something that may have been "
        "told earlier, and before you add, to update what is there.",
        read_only=True,
        idempotent=True,
    ),
    "update": _Spec(
        "Change a memory",
        "Replace fields of one memory by its id; what is not named stays. The version before is kept in its history.",
        destructive=True,
    ),
}


# The request models and the shapes of answers are imported by the first call: they bring the engine's libraries along.


async def _add(memories: HookedMemory, scope: Scope, given: dict[str, Any]) -> dict[str, Any]:
    from mcp_server.memory.model import memory_as_json  # noqa: PLC0415  # as above
    from mcp_server.memory.requests import AddMemory, read  # noqa: PLC0415

    added = await memories.add(scope, read(AddMemory, given))
    return {"memory": memory_as_json(added.record), "duplicate": added.duplicate}


async def _search(memories: HookedMemory, scope: Scope, given: dict[str, Any]) -> dict[str, Any]:
    from mcp_server.capabilities.memory import found_as_json  # noqa: PLC0415  # as above
    from mcp_server.memory.requests import SearchMemories, read  # noqa: PLC0415

    return found_as_json(await memories.search(scope, read(SearchMemories, given)))


async def _get(memories: HookedMemory, scope: Scope, given: dict[str, Any]) -> dict[str, Any]:
    from mcp_server.memory.model import memory_as_json  # noqa: PLC0415  # as above
    from mcp_server.memory.requests import GetMemory, read  # noqa: PLC0415

    return {"memory": memory_as_json(await memories.get(scope, read(GetMemory, given).id))}


async def _update(memories: HookedMemory, scope: Scope, given: dict[str, Any]) -> dict[str, Any]:
    from mcp_server.memory.model import memory_as_json  # noqa: PLC0415  # as above
    from mcp_server.memory.requests import UpdateMemory, read  # noqa: PLC0415

    return {"memory": memory_as_json(await memories.update(scope, read(UpdateMemory, given)))}


async def _delete(memories: HookedMemory, scope: Scope, given: dict[str, Any]) -> dict[str, Any]:
    from mcp_server.memory.requests import DeleteMemory, read  # noqa: PLC0415  # as above

    return {"deleted": await memories.delete(scope, read(DeleteMemory, given))}


async def _list(memories: HookedMemory, scope: Scope, given: dict[str, Any]) -> dict[str, Any]:
    from mcp_server.memory.model import memory_as_json  # noqa: PLC0415  # as above
    from mcp_server.memory.requests import ListMemories, read  # noqa: PLC0415

    page = await memories.list(scope, read(ListMemories, given))
    return {"memories": [memory_as_json(record) for record in page.records], "cursor": page.cursor}


_ANSWERS: dict[str, Answer] = {
    "add": _add,
    "delete": _delete,
    "get": _get,
    "list": _list,
    "search": _search,
    "update": _update,
}

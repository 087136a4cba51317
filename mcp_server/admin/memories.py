"""``/memories``: the caller's own, as the tools ``memory__…`` have them, with their limits, hooks and audit rows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from pydantic import Field

from mcp_server.admin.access import Reader, Writer, caller_of
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk, Desk
from mcp_server.admin.shapes import Shape
from mcp_server.backends.errors import MemoryNotFound
from mcp_server.memory.model import Memory
from mcp_server.memory.requests import MOST_RESULTS, AddMemory, MemoryType, SearchMemories, UpdateMemory
from mcp_server.transport.identity import Identity

__all__ = ["router"]

router = APIRouter(tags=["memories"], route_class=StrictRoute)
Id = Annotated[str, Path(min_length=1, max_length=128, description="The memory's id.")]


class One(Shape):
    """A memory."""

    memory: Memory


class Added(One):
    """A memory that is stored."""

    duplicate: bool = Field(description="Whether it was there already.")


class Page(Shape):
    """Memories, the newest first."""

    memories: list[Memory]
    cursor: str | None = Field(description="For the next page; null on the last.")


class Hit(One):
    """A memory that fits."""

    score: float
    explanation: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None


class Hits(Shape):
    """What was found, the best first."""

    results: list[Hit]
    mode: str
    corrections: dict[str, Any]
    uncovered: int


def _changes_schema() -> dict[str, Any]:
    """Of a change without the id, which is in the path."""
    schema = UpdateMemory.model_json_schema()
    del schema["properties"]["id"]
    schema["required"] = [name for name in schema["required"] if name != "id"]
    return {key: value for key, value in schema.items() if value != []}


_CHANGES: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _changes_schema()}}}
}


@router.get("/memories")
async def list_memories(
    desk: AtDesk,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=MOST_RESULTS)] = 50,
    cursor: Annotated[str | None, Query(max_length=1_024)] = None,
    memory_type: Annotated[list[MemoryType] | None, Query(max_length=8)] = None,
    agent_id: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    run_id: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    include_expired: bool = False,
) -> Page:
    """List memories, a page at a time."""
    asked = {"cursor": cursor, "memory_types": memory_type, "agent_id": agent_id, "run_id": run_id}
    given = {name: value for name, value in asked.items() if value is not None}
    answer = await _run(desk, caller, "list", {**given, "limit": limit, "include_expired": include_expired})
    return Page.model_validate(answer)


@router.post("/memories", status_code=201)
async def add_memory(memory: Annotated[AddMemory, Body()], desk: AtDesk, caller: Writer) -> Added:
    """Store a memory; the same text is stored once."""
    return Added.model_validate(await _run(desk, caller, "add", memory.model_dump(exclude_unset=True)))


@router.post("/memories/search")
async def search_memories(search: Annotated[SearchMemories, Body()], desk: AtDesk, caller: Reader) -> Hits:
    """Find memories that fit a question."""
    return Hits.model_validate(await _run(desk, caller, "search", search.model_dump(exclude_unset=True)))


@router.get("/memories/{memory}")
async def get_memory(memory: Id, desk: AtDesk, caller: Reader) -> One:
    """Read a memory."""
    return One.model_validate(await _run(desk, caller, "get", {"id": memory}))


@router.patch("/memories/{memory}", openapi_extra=_CHANGES)
async def change_memory(memory: Id, changes: Annotated[dict[str, Any], Body()], desk: AtDesk, caller: Writer) -> One:
    """Replace fields of a memory; what is not named stays, and null takes a label, the importance or the end away."""
    return One.model_validate(await _run(desk, caller, "update", {**changes, "id": memory}))


@router.delete("/memories/{memory}", status_code=204)
async def delete_memory(
    memory: Id, desk: AtDesk, caller: Writer, if_version: Annotated[int | None, Query(ge=1)] = None
) -> None:
    """Delete a memory."""
    version = {} if if_version is None else {"if_version": if_version}
    answer = await _run(desk, caller, "delete", {"id": memory, **version})
    if not answer["deleted"]:
        raise MemoryNotFound(memory)


async def _run(desk: Desk, caller: Identity, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await desk.host.invoker.run(desk.memory_tools[operation], arguments, caller_of(caller))
    return result.structured

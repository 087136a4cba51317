"""The memories of the person who asks: a page of them at a time, found by a question, explained, added and deleted."""

from __future__ import annotations

import json
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_server.admin import memories as api
from mcp_server.memory.requests import AddMemory, MemoryType, Mode, SearchMemories, read
from mcp_server.page.room import asking, form_in, go, room_of
from mcp_server.policy.scopes import MEMORY_READ, MEMORY_WRITE

__all__ = ["ROUTES"]

_PAGE = 25
TYPES: tuple[str, ...] = get_args(MemoryType)
MODES: tuple[str, ...] = get_args(Mode)


async def _browse(request: Request) -> Response:
    """Those that fit the question; without one the newest."""
    room, me, asked = room_of(request), asking(request, MEMORY_READ), request.query_params
    question, kind = asked.get("q", "").strip(), asked.get("type", "")
    values: dict[str, Any] = {"found": None, "page": None, "next": ""}
    if question:
        wanted: dict[str, Any] = {"query": question, "limit": _PAGE, "mode": asked.get("mode") or "auto"}
        wanted |= {"explain": "explain" in asked, **({"memory_types": [kind]} if kind else {})}
        values["found"] = await api.search_memories(read(SearchMemories, wanted), room.desk, me)
    else:
        page = await api.list_memories(room.desk, me, _PAGE, asked.get("cursor"), [kind] if kind else None)  # pyright: ignore[reportArgumentType]  # any text: the tool's own schema judges it
        values["page"] = page
        if page.cursor:
            values["next"] = urlencode({"cursor": page.cursor, **({"type": kind} if kind else {})})
    return room.pages.show(
        request,
        "memories",
        here="memories",
        **values,
        question=question,
        kind=kind,
        mode=asked.get("mode", "auto"),
        explain="explain" in asked,
        types=TYPES,
        modes=MODES,
    )


async def _one(request: Request) -> Response:
    room, me = room_of(request), asking(request, MEMORY_READ)
    memory = (await api.get_memory(request.path_params["memory"], room.desk, me)).memory
    about = {key: value for key, value in memory.items() if key not in ("content", "metadata")}
    metadata = json.dumps(memory["metadata"], ensure_ascii=False, indent=2)
    return room.pages.show(request, "memory", here="memories", memory=memory, about=about, metadata=metadata)


async def _add(request: Request) -> Response:
    room, me = room_of(request), asking(request, MEMORY_WRITE)
    form = await form_in(request)
    content = form.get("content", "").replace("\r\n", "\n")
    wanted = read(AddMemory, {"content": content, "memory_type": form.get("type") or "semantic"})
    added = await api.add_memory(wanted, room.desk, me)
    return go("/page/memories", "duplicate" if added.duplicate else "added")


async def _delete(request: Request) -> Response:
    room, me = room_of(request), asking(request, MEMORY_WRITE)
    await form_in(request)
    await api.delete_memory(request.path_params["memory"], room.desk, me)
    return go("/page/memories", "deleted")


ROUTES = (
    Route("/memories", _browse, methods=["GET"]),
    Route("/memories", _add, methods=["POST"]),
    Route("/memories/{memory}", _one, methods=["GET"]),
    Route("/memories/{memory}/delete", _delete, methods=["POST"]),
)

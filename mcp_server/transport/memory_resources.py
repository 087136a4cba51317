"""``memory://{id}``: each principal's own memories as MCP resources, beside the tools that write them.

Reading goes the way of a tool call (``memory__get``), with its limits and its record; a listing shows no contents.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import mcp_types as types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic_core import to_json

from mcp_server.backends.errors import CursorInvalid, MemoryNotFound
from mcp_server.errors import AgentMemError, InvalidArguments
from mcp_server.host import PluginHost
from mcp_server.memory.errors import InvalidRequest
from mcp_server.memory.hooks import PRINCIPAL_SPACE, Scope
from mcp_server.tools.invoke import Caller
from mcp_server.tools.memory_tools import own_scope
from mcp_server.tools.results import clean_text
from mcp_server.transport.identity import bounds_of, identity_of, session_of
from mcp_server.transport.notices import Notices

if TYPE_CHECKING:
    from mcp_server.backends.values import MemoryRecord

__all__ = ["MemoryResources"]

SCHEME = "memory://"
MIME = "application/json"
PAGE = 100
NAME_CHARACTERS = 80
OLD_NOT_FOUND = -32002
"""What revisions up to 2025-11-25 say where 2026-07-28 says INVALID_PARAMS."""
TEMPLATE = {
    "uriTemplate": "memory://{id}",
    "name": "memory",
    "title": "A memory",
    "description": "One of your memories, as memory__get shows it",
    "mimeType": MIME,
}
_FRESH = {"ttlMs": 0, "cacheScope": "private", "resultType": "complete"}
Context = ServerRequestContext[Any, Any]


class MemoryResources:
    """The three ``resources/`` requests, and word of changes to those who asked for it.

    Args:
        host: Entered already.
        notices: Carries changes to those who asked for them.
    """

    def __init__(self, host: PluginHost, notices: Notices) -> None:
        self._host, self._notices = host, notices

    def serve_on(self, server: Server[Any]) -> None:
        """Answer on ``server``."""
        server.add_request_handler("resources/list", types.PaginatedRequestParams, self._list)
        server.add_request_handler("resources/templates/list", types.PaginatedRequestParams, self._templates)
        server.add_request_handler("resources/read", types.ReadResourceRequestParams, self._read)
        self._host.memory_changed.append(self._changed)

    async def _list(self, ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        from mcp_server.memory.requests import ListMemories  # noqa: PLC0415  # with the engine, when it is needed

        try:
            request = ListMemories(limit=PAGE, cursor=params.cursor)
            scope = own_scope(identity_of(ctx).principal, bounds=bounds_of(params.meta))
            page = await self._host.memories().list(scope, request)
        except CursorInvalid as error:
            raise MCPError(types.INVALID_PARAMS, error.message) from None
        except AgentMemError as error:
            raise MCPError(types.INTERNAL_ERROR, error.message, error.as_dict()) from None
        result: dict[str, Any] = {"resources": [_entry(record) for record in page.records], **_FRESH}
        if page.cursor is not None:
            result["nextCursor"] = page.cursor
        return result

    async def _templates(self, ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        del ctx, params
        return {"resourceTemplates": [TEMPLATE], **_FRESH}

    async def _read(self, ctx: Context, params: types.ReadResourceRequestParams) -> dict[str, Any]:
        uri = params.uri
        if not uri.startswith(SCHEME):
            raise _not_found(ctx, uri)
        identifier = unquote(uri.removeprefix(SCHEME))
        try:
            caller = Caller(identity_of(ctx).principal, session=session_of(ctx), bounds=bounds_of(params.meta))
            result = await self._host.invoker.invoke("memory__get", {"id": identifier}, caller)
        except (MemoryNotFound, InvalidArguments, InvalidRequest):  # the last two: an id that no memory can have
            raise _not_found(ctx, uri) from None
        except AgentMemError as error:
            raise MCPError(types.INTERNAL_ERROR, error.message, error.as_dict()) from None
        text = to_json(result.structured["memory"]).decode("utf-8")
        return {"contents": [{"uri": uri, "mimeType": MIME, "text": text}], **_FRESH}

    def _changed(self, scope: Scope, identifier: str, *, listed: bool) -> None:
        """A memory was written; told to subscribers when it is one of those that are shown here."""
        if scope.space != PRINCIPAL_SPACE:
            return
        event = ResourcesListChanged() if listed else ResourceUpdated(uri=_uri(identifier))
        self._host.fleet.start_soon(partial(self._notices.memory_changed, scope.principal, event))


def _entry(record: MemoryRecord) -> dict[str, Any]:
    words = " ".join(clean_text(record.content).split())
    name = words if len(words) <= NAME_CHARACTERS else words[: NAME_CHARACTERS - 1] + "…"
    return {"uri": _uri(record.id), "name": name, "description": f"{record.memory_type} memory", "mimeType": MIME}


def _uri(identifier: str) -> str:
    return SCHEME + quote(identifier, safe="")


def _not_found(ctx: Context, uri: str) -> MCPError:
    modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
    code = types.INVALID_PARAMS if modern else OLD_NOT_FOUND
    return MCPError(code, f"there is no resource '{uri:.200}'", {"uri": uri[:1_024]})

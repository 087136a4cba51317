"""The MCP SDK's adapter: turns protocol requests into catalogue look-ups and invocations, and back.

No other folder knows MCP's types. Handlers return wire dictionaries because a model would be dumped
into one and checked against the protocol version's surface anyway.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio
import mcp_types as types
from mcp.server import NotificationOptions, Server
from mcp.server.context import ServerRequestContext
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_server import __version__
from mcp_server.errors import AgentMemError, ConsentNeeded, ToolNotFound
from mcp_server.host import PluginHost
from mcp_server.tools.invoke import Caller
from mcp_server.tools.projection import ToolList, error_result, result_wire
from mcp_server.transport.asking import Rounds, ask_in_session, input_required
from mcp_server.transport.client_log import ClientLog, set_level
from mcp_server.transport.memory_resources import MemoryResources

__all__ = ["McpFace"]

logger = logging.getLogger(__name__)

NAME = "agentmem-mcp"
INSTRUCTIONS = (
    "Each tool is a function of a WebAssembly plugin, named <plugin>__<function>, and runs in a sandbox; "
    "the tools memory__… are the server's own and keep memories over all conversations. "
    "A refused call says which limit or capability was in the way; do not repeat it unchanged."
)
PAGE = 250
LIST_TTL_MS = 5_000
"""How long a client may keep a list: short, because plugins are reloaded while the server runs."""


class McpFace:
    """One MCP server object over a plugin host; serves any number of connections.

    Args:
        host: Entered already.
        principal: Who calls on this face.
    """

    def __init__(self, host: PluginHost, principal: str = "local") -> None:
        self._host = host
        self._principal = principal
        self._list = ToolList(host.catalog)
        self._rounds = Rounds()
        self._changed = anyio.Event()
        host.changed.append(lambda: self._changed.set())
        self.bus = InMemorySubscriptionBus()
        self.listen = ListenHandler(self.bus)
        self.server: Server[Any] = Server(
            NAME,
            version=__version__,
            instructions=INSTRUCTIONS,
            get_tool_input_schema=self._input_schema,
            on_subscriptions_listen=self.listen,
        )
        # 30 µs a message for spans that nobody exports; tracing puts it back when it is configured.
        self.server.middleware.clear()
        self.server.add_request_handler("tools/list", types.PaginatedRequestParams, self._list_tools)
        self.server.add_request_handler("tools/call", types.CallToolRequestParams, self._call_tool)
        self.server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, self._set_level)
        if host.settings.memory.tools:
            MemoryResources(host, principal, self.bus).serve_on(self.server)

    def initialization_options(self) -> InitializationOptions:
        """What a legacy ``initialize`` is answered: the tool list may change while it is used."""
        return self.server.create_initialization_options(NotificationOptions(tools_changed=True))

    async def wait_changed(self) -> None:
        """Return when the host's tool list has changed since the last return."""
        await self._changed.wait()
        self._changed = anyio.Event()

    async def announce(self) -> None:
        """Tell 2026-07-28 subscribers that the tool list changed."""
        await self.bus.publish(ToolsListChanged())

    async def _list_tools(
        self, ctx: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams
    ) -> dict[str, Any]:
        shown = self._current()
        entries = shown.modern if _is_modern(ctx) else shown.legacy
        first = _position(entries, params.cursor)
        page = entries[first : first + PAGE]
        result: dict[str, Any] = {
            "tools": page,
            "ttlMs": LIST_TTL_MS,
            "cacheScope": "private",
            "resultType": "complete",
        }
        if first + PAGE < len(entries):
            result["nextCursor"] = base64.urlsafe_b64encode(page[-1]["name"].encode()).decode()
        return result

    async def _call_tool(
        self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> dict[str, Any]:
        legacy = not _is_modern(ctx)
        tool = self._host.catalog.tools.get(params.name)
        arguments = params.arguments if params.arguments is not None else {}
        log = ClientLog(ctx)
        ask = partial(ask_in_session, ctx) if legacy else self._rounds.asker(ctx, params, self._principal)
        caller = Caller(self._principal, session="stdio", log=log.add, ask=ask)
        try:
            try:
                result = await self._host.invoker.invoke(params.name, arguments, caller)
            finally:
                await log.send()
            return result_wire(result, tool, legacy=legacy)
        except ConsentNeeded as needed:
            return input_required(needed)
        except ToolNotFound as error:
            raise MCPError(types.INVALID_PARAMS, error.message, error.as_dict()) from None
        except AgentMemError as error:
            return error_result(error, legacy=legacy)
        except Exception:  # the tool-call boundary: what nobody foresaw must not reach the wire as text
            logger.exception("tools/call %s failed, request %s", params.name, ctx.request_id)
            hidden = AgentMemError(
                f"the host failed while calling '{params.name}'; see its log, request {ctx.request_id}"
            )
            return error_result(hidden, legacy=legacy)

    async def _set_level(
        self, ctx: ServerRequestContext[Any, Any], params: types.SetLevelRequestParams
    ) -> dict[str, Any]:
        set_level(ctx, params.level)
        return {}

    def _current(self) -> ToolList:
        if self._list.catalog is not self._host.catalog:
            self._list = ToolList(self._host.catalog)
        return self._list

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._host.catalog.tools.get(name)
        return tool.input.source if tool else None


def _is_modern(ctx: ServerRequestContext[Any, Any]) -> bool:
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def _position(entries: list[dict[str, Any]], cursor: str | None) -> int:
    """Where a page starts: after the name in the cursor, so that a reload between pages skips or repeats nothing."""
    if cursor is None:
        return 0
    try:
        after = base64.b64decode(cursor.encode("ascii"), b"-_", validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        raise MCPError(types.INVALID_PARAMS, "the cursor is not one of this server") from None
    return next((index for index, entry in enumerate(entries) if entry["name"] > after), len(entries))

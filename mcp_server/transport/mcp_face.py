"""The MCP SDK's adapter: turns protocol requests into catalogue look-ups and invocations, and back.

No other folder knows MCP's types. Handlers return wire dictionaries because a model would be dumped
into one and checked against the protocol version's surface anyway.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import mcp_types as types
from mcp.server import NotificationOptions, Server
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.models import InitializationOptions
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_server import __version__
from mcp_server.errors import ConsentNeeded, ToolNotFound
from mcp_server.host import PluginHost
from mcp_server.policy.scopes import unmet
from mcp_server.tools.invoke import Caller
from mcp_server.tools.results import ToolResult
from mcp_server.transport.asking import Rounds, ask_in_session, input_required
from mcp_server.transport.client_log import ClientLog, set_level
from mcp_server.transport.face import Face
from mcp_server.transport.identity import Identity, bounds_of, identity_of, session_of
from mcp_server.transport.memory_resources import MemoryResources
from mcp_server.transport.needs import needed, reads_memories
from mcp_server.transport.notices import Notices
from mcp_server.transport.tickets import Tickets
from mcp_server.transport.traced import said_by_transport

__all__ = ["McpFace", "list_page"]

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


class McpFace(Face):
    """One MCP server object over a plugin host; serves any number of connections of any number of principals.

    Args:
        host: Entered already.
        tickets: For questions of 2026-07-28; those of this process alone when omitted.
    """

    def __init__(self, host: PluginHost, tickets: Tickets | None = None) -> None:
        super().__init__(host)
        self._rounds = Rounds(tickets)
        self.notices = Notices()
        self.joined: list[Callable[[str, str, str], None]] = []
        """Told of each session over HTTP that was initialized: its id, its principal, its version."""
        self.cancelled: list[Callable[[str, object], None]] = []
        """Told of each request that a session over HTTP cancelled: the session's id and the request's."""
        self.server: Server[Any] = _ChangingServer(
            NAME,
            version=__version__,
            instructions=INSTRUCTIONS,
            get_tool_input_schema=self._input_schema,
            on_subscriptions_listen=self.notices.listen,
        )
        # The SDK's own costs 30 µs a message for spans that nobody exports; so it stays only where somebody traces.
        traced = [*self.server.middleware, said_by_transport] if host.invoker.tracing is not None else []
        self.server.middleware[:] = [*traced, self._permitted]
        self.server.add_request_handler("tools/list", types.PaginatedRequestParams, self._list_tools)
        self.server.add_request_handler("tools/call", types.CallToolRequestParams, self._call_tool)
        self.server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, self._set_level)
        if host.settings.memory.tools:
            MemoryResources(host, self.notices).serve_on(self.server)

    def initialization_options(self) -> InitializationOptions:
        """What a legacy ``initialize`` is answered."""
        return self.server.create_initialization_options()

    async def announce(self) -> None:
        """Tell subscribers, and sessions over HTTP, that the tool list changed."""
        await self.notices.tools_changed()

    async def _permitted(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Every message comes by here: none is answered beyond the scopes of who sent it, whatever carried it.

        Over HTTP the messages' gate has refused it with a status before; this holds where a gate is forgotten.
        """
        identity = identity_of(ctx)
        if identity.scopes is not None:
            missing = unmet(identity.scopes, needed(ctx.method, ctx.params, self.catalog(identity), identity))
            if missing:
                raise MCPError(types.INVALID_REQUEST, f"the token has not the scopes {' '.join(missing)}")
        if reads_memories(ctx.method, ctx.params) and not self._host.views.memories(identity.principal):
            raise MCPError(types.INVALID_REQUEST, "the operator of this server shows this caller no memories")
        if ctx.request is not None:
            self._note(ctx, identity)
        elif ctx.method == "notifications/initialized" or (_is_modern(ctx) and ctx.method != "server/discover"):
            self.era = ctx.protocol_version
        return await call_next(ctx)

    def _note(self, ctx: ServerRequestContext[Any, Any], identity: Identity) -> None:
        """What a session of a handshake era over HTTP says beside its requests."""
        if ctx.method == "notifications/initialized":
            self.notices.join(ctx)
            for joined in self.joined:
                joined(session_of(ctx), identity.principal, ctx.protocol_version)
        elif ctx.method == "notifications/cancelled":
            for cancelled in self.cancelled:
                cancelled(session_of(ctx), (ctx.params or {}).get("requestId"))

    async def _list_tools(
        self, ctx: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams
    ) -> dict[str, Any]:
        identity = identity_of(ctx)
        shown = self.tools_shown(identity)
        return list_page(shown.modern if _is_modern(ctx) else shown.legacy, params.cursor)

    async def _call_tool(
        self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> dict[str, Any]:
        legacy = not _is_modern(ctx)
        tool = self.catalog(identity_of(ctx)).tools.get(params.name)
        arguments = params.arguments if params.arguments is not None else {}
        log = ClientLog(ctx)
        principal = identity_of(ctx).principal
        ask = partial(ask_in_session, ctx) if legacy else self._rounds.asker(ctx, params, principal)
        bounds = bounds_of(params.meta)
        caller = Caller(principal, session=session_of(ctx), log=log.add, ask=ask, bounds=bounds)

        async def logged() -> ToolResult:
            try:
                return await self._host.invoker.invoke(params.name, arguments, caller)
            finally:
                await log.send()

        try:
            return await self.answered(logged(), params.name, tool, ctx.request_id, legacy=legacy)
        except ConsentNeeded as needed:
            return input_required(needed)
        except ToolNotFound as error:
            raise MCPError(types.INVALID_PARAMS, error.message, error.as_dict()) from None

    async def _set_level(
        self, ctx: ServerRequestContext[Any, Any], params: types.SetLevelRequestParams
    ) -> dict[str, Any]:
        set_level(ctx, params.level)
        return {}

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._host.catalog.tools.get(name)
        return tool.input.source if tool else None


class _ChangingServer(Server[Any]):
    """The SDK's server, whose HTTP transport cannot be told otherwise that the list of tools changes."""

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *args: Any, **kwargs: Any
    ) -> InitializationOptions:
        options = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(options, *args, **kwargs)


def list_page(entries: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    """One page of a ``tools/list``, from ``cursor`` on.

    Raises:
        MCPError: The cursor is not one of this server.
    """
    first = _position(entries, cursor)
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

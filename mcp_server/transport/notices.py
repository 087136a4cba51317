"""Who is told that tools or memories changed: subscribers of 2026-07-28, and sessions of the handshake eras over HTTP.

Each principal has a channel of its own, so that nobody hears of another's memories.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourcesListChanged,
    ResourceUpdated,
    ToolsListChanged,
)
from mcp_types import SubscriptionsListenRequestParams, SubscriptionsListenResult

from mcp_server.transport.identity import identity_of

__all__ = ["Notices"]

MOST_STREAMS = 256
"""Subscriptions of one principal that may be open at one time."""
Context = ServerRequestContext[Any, Any]


class _Channel:
    """The subscriptions of one principal."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self.handler = ListenHandler(self.bus, max_subscriptions=MOST_STREAMS)
        self.open = 0


class Notices:
    """The word that goes round on one face."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}
        self._sessions: WeakSet[Connection] = WeakSet()

    async def listen(self, ctx: Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """Serve ``subscriptions/listen``.

        Raises:
            MCPError: The principal has too many of them.
        """
        principal = identity_of(ctx).principal
        channel = self._channels.setdefault(principal, _Channel())
        channel.open += 1
        try:
            return await channel.handler(ctx, params)
        finally:
            channel.open -= 1
            if not channel.open:
                self._channels.pop(principal, None)

    def join(self, ctx: Context) -> None:
        """A client of a handshake era has initialized over HTTP: it may be notified from now on."""
        self._sessions.add(ctx.session._connection)  # pyright: ignore[reportPrivateUsage]  # the SDK has no list

    async def tools_changed(self) -> None:
        """Tell everybody that the tool list changed."""
        for channel in list(self._channels.values()):
            await channel.bus.publish(ToolsListChanged())
        for connection in list(self._sessions):
            await connection.send_tool_list_changed()

    async def memory_changed(self, principal: str, event: ResourcesListChanged | ResourceUpdated) -> None:
        """Tell ``principal`` that one of its memories changed."""
        channel = self._channels.get(principal)
        if channel is not None:
            await channel.bus.publish(event)

    def close(self) -> None:
        """End every subscription, as a server does that goes away."""
        for channel in self._channels.values():
            channel.handler.close()

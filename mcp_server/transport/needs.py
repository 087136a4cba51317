"""Which scopes a message of MCP needs, from its method and parameters alone; who has them is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mcp_server.policy.scopes import (
    MEMORY_READ,
    NOTHING,
    TOOLS_LIST,
    Need,
    any_call,
    needed_for_tool,
)
from mcp_server.tools.catalog import Catalog, Tool
from mcp_server.transport.identity import Identity

__all__ = ["needed", "reads_memories", "tool_need"]


def needed(method: str, params: Mapping[str, Any] | None, catalog: Catalog, identity: Identity) -> Need:
    """What a request needs; what nobody serves needs nothing, and gets its "method not found"."""
    given: Mapping[str, Any] = params or {}
    match method:
        case "tools/list":
            return ((TOOLS_LIST,),)
        case "tools/call":
            tool = catalog.tools.get(str(given.get("name")))
            return any_call(identity.scopes or ()) if tool is None else tool_need(tool)
        case "resources/list" | "resources/templates/list" | "resources/read":
            return ((MEMORY_READ,),)
        case "subscriptions/listen":
            return _of_subscription(given.get("notifications"))
        case _:
            return NOTHING


def reads_memories(method: str, params: Mapping[str, Any] | None) -> bool:
    """Whether a request is for the resources ``memory://``; tools stand for themselves in the catalogue."""
    if method == "subscriptions/listen":
        return (MEMORY_READ,) in _of_subscription((params or {}).get("notifications"))
    return method.startswith("resources/")


def tool_need(tool: Tool) -> Need:
    """What a call of ``tool`` needs."""
    return needed_for_tool(tool.plugin, own=tool.version is None, read_only=tool.annotations.read_only)


def _of_subscription(wanted: object) -> Need:
    if not isinstance(wanted, Mapping):
        return NOTHING  # not a subscription: the protocol refuses it
    asked = cast("Mapping[str, Any]", wanted)
    need: list[tuple[str, ...]] = []
    if asked.get("toolsListChanged"):
        need.append((TOOLS_LIST,))
    if asked.get("resourcesListChanged") or asked.get("resourceSubscriptions"):
        need.append((MEMORY_READ,))
    return tuple(need)

"""The tool list as each caller sees it: the tools that it may call. Made once per view and set of scopes."""

from __future__ import annotations

from mcp_server.policy.scopes import unmet
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.projection import ToolList
from mcp_server.transport.identity import Identity
from mcp_server.transport.needs import tool_need

__all__ = ["ToolLists"]

MOST = 64
"""Different lists that are remembered; tokens and principals come in few kinds."""


class ToolLists:
    """Lists of the current catalogue, by scopes."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._lists: dict[tuple[int, frozenset[str] | None], tuple[Catalog, ToolList]] = {}

    def of(self, catalog: Catalog, view: Catalog, identity: Identity) -> ToolList:
        """What ``identity`` is shown of its ``view`` of ``catalog``."""
        if catalog is not self._catalog:
            self._catalog, self._lists = catalog, {}
        key = id(view), identity.scopes  # an entry keeps its view, so that no other one gets its number
        found = self._lists.get(key)
        if found is None:
            if len(self._lists) >= MOST:
                self._lists.clear()
            found = self._lists[key] = view, ToolList(_callable(view, identity.scopes))
        return found[1]


def _callable(catalog: Catalog, scopes: frozenset[str] | None) -> Catalog:
    if scopes is None:
        return catalog
    return Catalog({name: tool for name, tool in catalog.tools.items() if not unmet(scopes, tool_need(tool))})

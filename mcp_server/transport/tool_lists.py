"""The tool list as each caller sees it: the tools that it may call; made once per catalogue and set of scopes."""

from __future__ import annotations

from mcp_server.policy.scopes import unmet
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.projection import ToolList
from mcp_server.transport.identity import Identity
from mcp_server.transport.needs import tool_need

__all__ = ["ToolLists"]

MOST = 64
"""Different sets of scopes that are remembered; tokens come in few kinds."""


class ToolLists:
    """Lists of the current catalogue, by scopes."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._lists: dict[frozenset[str] | None, ToolList] = {}

    def of(self, catalog: Catalog, identity: Identity) -> ToolList:
        """What ``identity`` is shown of ``catalog``."""
        if catalog is not self._catalog:
            self._catalog, self._lists = catalog, {}
        found = self._lists.get(identity.scopes)
        if found is None:
            if len(self._lists) >= MOST:
                self._lists.clear()
            found = self._lists[identity.scopes] = ToolList(_callable(catalog, identity.scopes))
        return found


def _callable(catalog: Catalog, scopes: frozenset[str] | None) -> Catalog:
    if scopes is None:
        return catalog
    return Catalog({name: tool for name, tool in catalog.tools.items() if not unmet(scopes, tool_need(tool))})

"""The catalogue as each principal has it: whole, or without what the operator takes from that principal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mcp_server.policy.narrowing import Narrowing, narrowing_of
from mcp_server.settings import PrincipalSettings
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.memory_tools import OWNER

__all__ = ["Views"]

MOST = 256
"""Different views that are remembered; made anew when they are asked for after that."""


class Views:
    """Views of whatever catalogue and settings are current.

    Args:
        catalog: Gives the whole catalogue.
        said: Gives ``[principals]``.
    """

    def __init__(self, catalog: Callable[[], Catalog], said: Callable[[], Mapping[str, PrincipalSettings]]) -> None:
        self._catalog, self._said = catalog, said
        self._whole, self._told = catalog(), said()
        self._views: dict[tuple[frozenset[str] | None, bool], Catalog] = {}
        self._read: Mapping[str, PrincipalSettings] = {}
        self._narrowings: dict[str, Narrowing] = {}

    def stale(self) -> bool:
        """Whether ``[principals]`` is another one than when this was last asked; then clients list again."""
        before, self._told = self._told, self._said()
        return before != self._told

    def narrowing(self, principal: str) -> Narrowing:
        """What is taken from ``principal``."""
        said = self._said()
        if said is not self._read:
            self._read = said
            self._narrowings = {name: replace(one.narrowing, name=name) for name, one in said.items()}
        return narrowing_of(self._narrowings, principal)

    def of(self, principal: str) -> Catalog:
        """The tools that ``principal`` may call, as far as the operator goes; scopes of a token are another matter."""
        whole, narrowing = self._catalog(), self.narrowing(principal)
        key = narrowing.plugins, "MemoryAccess" in narrowing.deny
        if key == (None, False):
            return whole
        if whole is not self._whole:
            self._whole, self._views = whole, {}
        found = self._views.get(key)
        if found is None:
            if len(self._views) >= MOST:
                self._views.clear()
            found = self._views[key] = _narrowed(whole, narrowing)
        return found

    def memories(self, principal: str) -> bool:
        """Whether ``principal`` may reach its own memories, as tools or as resources."""
        return self.narrowing(principal).shows(OWNER, own=True)


def _narrowed(whole: Catalog, narrowing: Narrowing) -> Catalog:
    shown = {name: tool for name, tool in whole.tools.items() if narrowing.shows(tool.plugin, own=tool.version is None)}
    return Catalog(shown)

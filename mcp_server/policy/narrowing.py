"""What the operator takes from one principal: tools, capabilities of plugins, shares. Values only.

A narrowing is laid over what holds for everybody and can only take away; nothing in it grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mcp_server.policy.advice import limit_fix
from mcp_server.policy.limits import LIMITS, Limits
from mcp_server.policy.rights import Capability, Rights

__all__ = ["EVERYBODY", "NARROWABLE_LIMITS", "WIDE", "Narrowing", "narrowing_of"]

EVERYBODY = "*"
"""Stands for each principal, but the machine's own user, that has no narrowing of its own."""
_LOCAL = "local"
NARROWABLE_LIMITS = ("max_host_calls", "max_llm_calls", "max_log_lines", "max_log_bytes")
"""Those that the host counts for each call; the others are built into a worker, which serves all principals."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One principal's.

    Attributes:
        plugins: The only plugins whose tools it may call, ``memory`` being the host's own tools; None for all.
        deny: Capabilities that no plugin has while it runs for this principal.
        limits: By key; the lower of this and the plugin's own holds.
        calls: How many calls it may have in flight; None where what holds for all is enough.
        name: The entry of ``[principals]`` that says so.
    """

    plugins: frozenset[str] | None = None
    deny: frozenset[Capability] = frozenset()
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    calls: int | None = None
    name: str = ""

    def shows(self, plugin: str, *, own: bool) -> bool:
        """Whether the principal may call the tools of ``plugin``, or the host's ``own`` ones of that name."""
        if own and "MemoryAccess" in self.deny:
            return False
        return self.plugins is None or plugin in self.plugins

    def rights(self, rights: Rights) -> Rights:
        """``rights`` of a plugin, while it runs for the principal."""
        if not self.deny:
            return rights
        return replace(rights, granted=rights.granted - self.deny, withheld=self.deny, withheld_by=self.name)

    def limit(self, limits: Limits) -> Limits:
        """``limits`` of a plugin, while it runs for the principal."""
        if not self.limits:
            return limits
        lower = {
            spec.name: min(self.limits[spec.key] * spec.scale, getattr(limits, spec.name))
            for spec in LIMITS
            if spec.key in self.limits
        }
        return replace(limits, **lower)

    def limit_fix(self, plugin: str, name: str, limits: Limits) -> str:
        """What is done about limit ``name`` that a call of ``plugin`` for the principal has reached.

        Args:
            plugin: The plugin.
            name: Of the limit; its key is one of :data:`NARROWABLE_LIMITS`.
            limits: What was in force.
        """
        spec = next(spec for spec in LIMITS if spec.name == name)
        allowed = getattr(limits, name) // spec.scale
        if self.limits.get(spec.key, allowed + 1) <= allowed:
            return limit_fix(spec.key, allowed, spec.hard, "principals", self.name, "limits")
        return limits.raising(name, plugin)

    def share(self, calls: int) -> int:
        """Calls in flight, where everybody may have ``calls``."""
        return calls if self.calls is None else min(calls, self.calls)


WIDE = Narrowing()
"""Takes nothing away."""


def narrowing_of(said: Mapping[str, Narrowing], principal: str) -> Narrowing:
    """What of ``said`` holds for ``principal``."""
    own = said.get(principal)
    if own is None and principal != _LOCAL:
        own = said.get(EVERYBODY)
    return own or WIDE

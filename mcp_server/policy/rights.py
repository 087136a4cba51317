"""Capabilities and who has them: what a manifest asks for, what is granted, and the frozen result.

This is the only place that says yes. It decides on values; the loader links nothing and the bridge answers
nothing beyond the :class:`Rights` made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from mcp_server.errors import CapabilityDenied
from mcp_server.policy.advice import grant_fix, principal_fix, undeny_fix
from mcp_server.policy.llm import LlmRules
from mcp_server.policy.network import NetworkRules
from mcp_server.policy.paths import FileRules

__all__ = [
    "CAPABILITIES",
    "Capability",
    "DEFAULT_GRANTS",
    "HOST_FUNCTIONS",
    "HOST_MODULES",
    "STORAGE_QUOTA",
    "Rights",
    "decide_rights",
    "require_declared",
    "require_granted",
]

Capability = Literal[
    "MemoryAccess",
    "StorageAccess",
    "SearchAccess",
    "LLMAccess",
    "NetworkAccess",
    "FileSystemAccess",
    "LoggingAccess",
    "ConfigAccess",
]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)

HOST_MODULES = ("agentmem", "extism:host/user")
"""Import modules a guest may name for host functions; PDKs put them in the second by default."""

HOST_FUNCTIONS: Mapping[str, Capability] = MappingProxyType(
    {
        "add_memory": "MemoryAccess",
        "get_memory": "MemoryAccess",
        "update_memory": "MemoryAccess",
        "delete_memory": "MemoryAccess",
        "search_memories": "MemoryAccess",
        "store_data": "StorageAccess",
        "load_data": "StorageAccess",
        "delete_data": "StorageAccess",
        "list_data": "StorageAccess",
        "search": "SearchAccess",
        "embed": "SearchAccess",
        "call_llm": "LLMAccess",
        "http_request": "NetworkAccess",
        "read_file": "FileSystemAccess",
        "write_file": "FileSystemAccess",
        "list_files": "FileSystemAccess",
        "delete_file": "FileSystemAccess",
        "log": "LoggingAccess",
        "get_config": "ConfigAccess",
    }
)
"""Host function -> the one capability it belongs to. A capability joins here with its functions."""

DEFAULT_GRANTS: frozenset[Capability] = frozenset({"MemoryAccess", "LoggingAccess", "ConfigAccess"})
"""What every plugin gets without being asked for: its principal's memories, the log, its own configuration."""


STORAGE_QUOTA = 64 * 1024 * 1024
"""Bytes of keys and values that a plugin may keep for each principal, where its grant says nothing else."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a plugin asked for, what it was granted, and the intersection. Frozen when the plugin is registered.

    Attributes:
        hooks: Whether its hooks run: they see the memories of all plugins of a principal.
        shares_memories: Whether its memories are those of the principal itself, not a space of the plugin's own.
        withheld: What the principal of the call takes away from every plugin.
        withheld_by: The entry of ``[principals]`` that does.
        sends_trace: Whether its HTTP requests tell the sites that it may reach which trace they are part of.
    """

    required: frozenset[Capability]
    optional: frozenset[Capability]
    granted: frozenset[Capability]
    network: NetworkRules = NetworkRules()
    files: FileRules = FileRules()
    llm: LlmRules = LlmRules()
    denied: frozenset[Capability] = frozenset()
    storage_quota: int = STORAGE_QUOTA
    hooks: bool = False
    shares_memories: bool = False
    withheld: frozenset[Capability] = frozenset()
    withheld_by: str = ""
    sends_trace: bool = True

    @property
    def effective(self) -> frozenset[Capability]:
        """Manifest ceiling ∩ grant."""
        return (self.required | self.optional) & self.granted

    @property
    def missing(self) -> tuple[Capability, ...]:
        """Required but not granted, in the order of :data:`CAPABILITIES`."""
        return tuple(name for name in CAPABILITIES if name in self.required - self.granted)

    def fix(self, plugin: str, capabilities: Iterable[Capability]) -> str:
        """What an operator does about ``capabilities`` that ``plugin`` does not have."""
        names = sorted(capabilities)
        denied = [name for name in names if name in self.denied]
        open_ones = [name for name in names if name not in self.denied | self.withheld]
        fixes = [grant_fix(plugin, open_ones)] if open_ones else []
        fixes += [undeny_fix(plugin, name) for name in denied]
        return "; ".join(fixes + [principal_fix(name, self.withheld_by) for name in names if name in self.withheld])

    def allows(self, function: str) -> bool:
        """Whether host function ``function`` may do its work for this plugin."""
        return HOST_FUNCTIONS.get(function) in self.effective


def decide_rights(
    required: Iterable[Capability],
    optional: Iterable[Capability],
    granted: Iterable[Capability],
    *,
    denied: Iterable[Capability] = (),
    network: NetworkRules | None = None,
    files: FileRules | None = None,
    llm: LlmRules | None = None,
    storage_quota: int = STORAGE_QUOTA,
    hooks: bool = False,
    shares_memories: bool = False,
    sends_trace: bool = True,
) -> Rights:
    """Put ceiling and grant side by side; nothing else widens a right, and a denial beats every grant."""
    return Rights(
        frozenset(required),
        frozenset(optional),
        (frozenset(granted) | DEFAULT_GRANTS) - frozenset(denied),
        network or NetworkRules(),
        files or FileRules(),
        llm or LlmRules(),
        frozenset(denied),
        storage_quota,
        hooks and "MemoryAccess" not in frozenset(denied),
        shares_memories,
        sends_trace=sends_trace,
    )


def require_granted(plugin: str, rights: Rights) -> None:
    """Hold the plugin back when a required capability is not granted.

    Raises:
        CapabilityDenied: Names every missing capability, and the command and the line that grant them.
    """
    missing = rights.missing
    if missing:
        raise CapabilityDenied(
            f"plugin '{plugin}' requires {_join(missing)}, which is not granted",
            fix=rights.fix(plugin, missing),
            data={"plugin": plugin, "capabilities": list(missing)},
        )


def require_declared(plugin: str, rights: Rights, imports: Iterable[tuple[str, str]]) -> None:
    """Refuse a module that imports a host function nobody offers, or one its manifest does not declare.

    Args:
        plugin: Id for the messages.
        rights: The frozen rights of the plugin.
        imports: ``(module, name)`` of the module's imports from :data:`HOST_MODULES`.

    Raises:
        CapabilityDenied: Names the import, its capability, and the line to add to ``plugin.toml``.
    """
    declared = rights.required | rights.optional
    for module, name in imports:
        capability = HOST_FUNCTIONS.get(name)
        if capability is None:
            raise CapabilityDenied(
                f"plugin '{plugin}' imports '{module}' '{name}', which this host does not offer; "
                f"it offers {_join(sorted(HOST_FUNCTIONS))}",
                fix="build the plugin without that import",
                data={"plugin": plugin, "import": name},
            )
        if capability not in declared:
            raise CapabilityDenied(
                f"plugin '{plugin}' imports '{module}' '{name}', which belongs to {capability}, "
                "but its manifest does not declare that capability",
                fix=f"add \"{capability}\" to [capabilities] required in the plugin.toml of '{plugin}'",
                data={"plugin": plugin, "import": name, "capability": capability},
            )


def _join(words: Iterable[str]) -> str:
    return ", ".join(words)

"""The operator's settings about one plugin, as the registry takes them. What they come to is not decided here."""

from __future__ import annotations

from typing import cast

from mcp_server.policy.paths import FileGrant
from mcp_server.policy.rights import Capability
from mcp_server.registry.version import Asking, OperatorWord
from mcp_server.settings import FolderSection, Grant, PluginSettings, Settings

__all__ = ["operator_word"]

MIB = 1024 * 1024


def operator_word(settings: Settings, plugin: str) -> OperatorWord:
    """What ``settings`` say about the plugin of that id; the defaults where they say nothing."""
    grant = settings.grants.get(plugin, Grant())
    own = settings.plugins.get(plugin, PluginSettings())
    return OperatorWord(
        granted=frozenset(cast("tuple[Capability, ...]", grant.capabilities)),
        limits=own.limits,
        config=settings.config.get(plugin, {}),
        isolation=own.isolation,
        denied=frozenset(cast("tuple[Capability, ...]", grant.deny)),
        network=grant.network.rules(),
        http_limits=grant.network.limits(),
        file_limits=grant.filesystem.limits(),
        files=tuple(_root(root) for root in grant.filesystem.roots),
        denied_paths=grant.filesystem.deny,
        asking=_asking(grant),
        llm=grant.llm.rules(),
        storage_quota=grant.storage.quota_mb * MIB,
        hooks=grant.hooks,
        shares_memories=grant.memories == "principal",
        sends_trace=grant.network.trace,
        enabled=own.enabled,
    )


def _asking(grant: Grant) -> Asking:
    if not grant.ask:
        return Asking.NO
    return Asking.MAY_KEEP if grant.ask_always else Asking.ASK


def _root(section: FolderSection) -> FileGrant:
    return FileGrant(section.name, str(section.folder.expanduser()), section.mode, section.hard_links)

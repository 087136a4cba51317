"""What is said about a version beside its state: remarks for a person, and whether another one is the same."""

from __future__ import annotations

from mcp_server.policy.advice import hooks_fix
from mcp_server.registry.version import PluginVersion

__all__ = ["notes_on", "same"]


def same(old: PluginVersion, new: PluginVersion) -> bool:
    """Whether ``new`` would run exactly as ``old`` does."""
    return old.digest == new.digest and old.runnable == new.runnable and old.rights == new.rights


def notes_on(version: PluginVersion) -> tuple[str, ...]:
    """Things a person should know that are no errors."""
    manifest = version.source.manifest
    notes: list[str] = []
    if not version.source.declared:
        notes.append("no manifest: no rights, tools taken from the module's exports")
    hooks = [point for point, _ in manifest.hooks.entries()]
    if hooks and not version.rights.hooks:
        notes.append(f"its hooks {', '.join(hooks)} do not run; {_hooks_fix(version)}")
    private = _private(version)
    if private and version.rights.network.grant and "NetworkAccess" in version.rights.effective:
        hosts = ", ".join(rule.text for rule in version.rights.network.grant)
        notes.append(
            f"it reads {' and '.join(private)} and talks to {hosts}: what those sites answer may make it, or the model "
            "that reads its results, send there what it has read; grant both only to a plugin you trust with both"
        )
    refused = sorted(set(manifest.capabilities.optional) - version.rights.granted)
    if refused:
        fix = version.rights.fix(manifest.plugin.id, refused)
        notes.append(f"optional capabilities not granted: {', '.join(refused)}; {fix}")
    return tuple(notes)


def _hooks_fix(version: PluginVersion) -> str:
    plugin, rights = version.source.manifest.plugin.id, version.rights
    fixes = [rights.fix(plugin, ["MemoryAccess"])] if "MemoryAccess" in rights.denied else []
    return "; ".join(fixes if version.word.hooks else [*fixes, hooks_fix(plugin)])


def _private(version: PluginVersion) -> list[str]:
    """What of the user's own the plugin reads. Its own memories and values hold only what it was given."""
    rights = version.rights
    found: list[str] = []
    if rights.shares_memories and "MemoryAccess" in rights.effective:
        found.append("the memories of whoever calls it")
    if rights.files.roots and "FileSystemAccess" in rights.effective:
        found.append(f"files below {', '.join(rights.files.roots)}")
    return found

"""What counts of a project file that a stranger may have written: what cannot widen anything.

A folder that was downloaded may hold an ``agentmem.toml`` as it may hold anything. Unless the user's own file trusts
that very folder, the file says how the server logs and how many workers it runs, and makes limits and isolation
stricter. The list below is of what counts; a section that is not named here needs trust.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mcp_server.policy.limits import LIMITS
from mcp_server.settings.document import Document, Key, leaves, merge
from mcp_server.settings.model import PluginSettings, Settings

__all__ = ["is_trusted", "without_rights"]

_HARMLESS = frozenset(
    {
        ("log", "level"),
        ("log", "format"),
        ("runtime", "max_workers"),
        ("runtime", "idle_seconds"),
        ("runtime", "drain_seconds"),
        ("runtime", "compiled_cache_mb"),
    }
)
_CALLERS_SHARE = frozenset({"max_calls_per_principal", "max_queued_per_principal"})
"""The keys of ``[runtime]`` that are limits of a caller."""
_STRICTNESS = {None: 0, "shared": 0, "session": 1, "call": 2}
_DEFAULTS = {spec.key: spec.default for spec in LIMITS}


def is_trusted(folder: Path, trusted: Iterable[Path]) -> bool:
    """Whether ``folder`` is one of ``trusted``; not one below it: a checkout inside it may be a stranger's again."""
    real = folder.resolve()
    return any(real == Path(entry).expanduser().resolve() for entry in trusted)


def without_rights(document: Document, base: Settings) -> tuple[Document, list[Key]]:
    """What of ``document`` only narrows ``base``, and the keys that do more.

    Args:
        document: A project file that has passed its checks.
        base: What holds without it.
    """
    said = Settings.model_validate(document)  # as numbers, also where the file has them as texts
    kept: Document = {}
    ignored: list[Key] = []
    for key, value in leaves(document):
        if value == {}:
            continue  # an empty table says nothing
        if _narrows(key, said, base):
            kept = merge(kept, _nested(key, value))
        else:
            ignored.append(key)
    return kept, ignored


def _narrows(key: Key, said: Settings, base: Settings) -> bool:
    match key:
        case ("runtime", name) if name in _CALLERS_SHARE:
            return getattr(said.runtime, name) <= getattr(base.runtime, name)
        case ("plugins", plugin, "enabled"):
            return said.plugins[plugin].enabled <= _plugin(base, plugin).enabled
        case ("plugins", plugin, "isolation"):
            return _STRICTNESS[said.plugins[plugin].isolation] >= _STRICTNESS[_plugin(base, plugin).isolation]
        case ("plugins", plugin, "limits", limit):
            return said.plugins[plugin].limits[limit] <= _plugin(base, plugin).limits.get(limit, _DEFAULTS[limit])
        case _:
            return key in _HARMLESS


def _plugin(base: Settings, plugin: str) -> PluginSettings:
    return base.plugins.get(plugin, PluginSettings())


def _nested(key: Key, value: Any) -> Document:
    document: Document = {key[-1]: value}
    for word in reversed(key[:-1]):
        document = {word: document}
    return document

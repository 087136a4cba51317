"""What commands and the management API do to a document: grants, trust, whole tables. Files are :mod:`.edit`'s.

Each function changes the document in place and returns what it changed, one line each; done twice, it changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_server.policy.advice import grant_table
from mcp_server.policy.rights import DEFAULT_GRANTS
from mcp_server.settings.document import Document
from mcp_server.settings.model import FolderSection

__all__ = [
    "DETAILS",
    "Wanted",
    "grant",
    "replace_table",
    "revoke",
    "stop_asking",
    "switch",
    "trust",
    "withdraw",
    "without_effect",
]

DETAILS: Mapping[str, str] = {
    "NetworkAccess": "network",
    "FileSystemAccess": "filesystem",
    "StorageAccess": "storage",
    "LLMAccess": "llm",
}
"""Capability -> the table below a grant that says how far it goes."""
_MEMORY_KEYS = ("hooks", "memories")
"""What a grant says about memories; they go with ``MemoryAccess``, which has no table."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one ``plugin grant`` asks for; the capability of a detail comes with it.

    Attributes:
        capabilities: To be granted, or denied.
        hosts: URL patterns to be allowed, or denied.
        ranges: Address ranges to be opened.
        secrets: Name -> URL patterns it may be sent to.
        folders: Folders to be shown.
        quota_mb: MiB of keys and values, or None.
        deny: Withhold capabilities and hosts instead.
        aliases: Language models to be used.
        hooks: Let its hooks run.
    """

    capabilities: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    folders: tuple[FolderSection, ...] = ()
    quota_mb: int | None = None
    deny: bool = False
    aliases: tuple[str, ...] = ()
    hooks: bool = False

    @property
    def with_details(self) -> tuple[str, ...]:
        """The capabilities, and those that the details are about."""
        implied = [
            name
            for name, asked in (
                ("NetworkAccess", self.hosts or self.ranges or self.secrets),
                ("FileSystemAccess", self.folders),
                ("LLMAccess", self.aliases),
                ("StorageAccess", self.quota_mb is not None),
            )
            if asked
        ]
        return tuple(dict.fromkeys([*self.capabilities, *implied]))


def grant(document: Document, plugin: str, wanted: Wanted) -> list[str]:
    """Add ``wanted`` to the grant of ``plugin``."""
    said: list[str] = []
    own = _table(document, "grants", plugin)
    if wanted.deny:
        _add(own, "deny", wanted.capabilities, said, grant_table(plugin))
        if wanted.hosts:
            _add(_table(own, "network"), "deny", wanted.hosts, said, grant_table(plugin, "network"))
        return said
    _add(own, "capabilities", wanted.with_details, said, grant_table(plugin))
    _remove(own, "deny", wanted.with_details, said, grant_table(plugin))
    place = grant_table(plugin, "network")
    for key, words in (("allow", wanted.hosts), ("ranges", wanted.ranges)):
        if words:
            _add(_table(own, "network"), key, words, said, place)
    for name, patterns in wanted.secrets.items():
        _add(_table(own, "network", "secrets"), name, patterns, said, grant_table(plugin, "network", "secrets"))
    if wanted.folders:
        _add_folders(_table(own, "filesystem"), wanted.folders, said, grant_table(plugin, "filesystem"))
    if wanted.aliases:
        _add(_table(own, "llm"), "aliases", wanted.aliases, said, grant_table(plugin, "llm"))
    if wanted.hooks:
        _set(own, "hooks", True, said, grant_table(plugin))
    if wanted.quota_mb is not None:
        _set(_table(own, "storage"), "quota_mb", wanted.quota_mb, said, grant_table(plugin, "storage"))
    return said


def revoke(document: Document, plugin: str, capabilities: Iterable[str]) -> list[str]:
    """Take capabilities and their details from ``plugin``, all of them when none is named; denials stay."""
    grants: Document = document.get("grants", {})
    own: Document | None = grants.get(plugin)
    if own is None:
        return []
    said: list[str] = []
    names = list(capabilities)
    _remove(own, "capabilities", names or list(own.get("capabilities", [])), said, grant_table(plugin))
    for capability, detail in DETAILS.items():
        table: Document = own.get(detail, {})
        if names and capability not in names:
            continue
        for key in [key for key in table if key != "deny"]:
            said.append(f"- {key} of {grant_table(plugin, detail)}")
            del table[key]
        if detail in own and not table:
            del own[detail]
    if not names or "MemoryAccess" in names:
        for key in [key for key in _MEMORY_KEYS if key in own]:
            said.append(f"- {key} of {grant_table(plugin)}")
            del own[key]
    return said


def withdraw(document: Document, plugin: str, hosts: Iterable[str] = (), folders: Iterable[str] = ()) -> list[str]:
    """Take URL patterns and named folders from the grant of ``plugin``; its capabilities stay."""
    own: Document = document.get("grants", {}).get(plugin, {})
    said: list[str] = []
    _remove(own.get("network", {}), "allow", hosts, said, grant_table(plugin, "network"))
    roots: list[Document] = own.get("filesystem", {}).get("roots", [])
    gone = set(folders)
    for root in [root for root in roots if root["name"] in gone]:
        roots.remove(root)
        said.append(f"- {root['name']} in roots of {grant_table(plugin, 'filesystem')}")
    return said


def replace_table(document: Document, section: str, plugin: str, table: Mapping[str, Any]) -> list[str]:
    """Put ``table`` into the place of ``[section.plugin]``; an empty one takes it away."""
    tables: Document = document.get(section, {})
    if tables.get(plugin, {}) == table:
        return []
    place = f"[{section}.{plugin}]"
    if not table:
        del tables[plugin]
        if not tables:
            del document[section]
        return [f"- {place}"]
    said = [f"{'~' if plugin in tables else '+'} {place}"]
    _table(document, section)[plugin] = dict(table)
    return said


def stop_asking(document: Document, plugin: str) -> list[str]:
    """Let ``plugin`` run without asking the user again."""
    said: list[str] = []
    _set(_table(document, "grants", plugin), "ask", False, said, grant_table(plugin))
    return said


def switch(document: Document, plugin: str, *, on: bool) -> list[str]:
    """Let ``plugin`` run, or not; on is what holds when nothing is said."""
    own: Document = document.get("plugins", {}).get(plugin, {})
    if not on:
        said: list[str] = []
        _set(_table(document, "plugins", plugin), "enabled", False, said, f"[plugins.{plugin}]")
        return said
    if own.get("enabled", True):
        return []
    return replace_table(document, "plugins", plugin, {key: own[key] for key in own if key != "enabled"})


def trust(document: Document, folder: Path) -> list[str]:
    """Let the project file of ``folder`` count in full."""
    said: list[str] = []
    _add(_table(document, "trust"), "folders", [str(folder)], said, "[trust]")
    return said


def without_effect(capabilities: Iterable[str]) -> list[str]:
    """Those of ``capabilities`` that every plugin has, granted or not."""
    return [name for name in capabilities if name in DEFAULT_GRANTS]


def _table(document: Document, *path: str) -> Document:
    for name in path:
        document.setdefault(name, {})
        document = document[name]
    return document


def _add(table: Document, key: str, words: Iterable[str], said: list[str], place: str) -> None:
    for word in words:
        if word not in table.get(key, []):
            table.setdefault(key, [])
            table[key].append(word)
            said.append(f"+ {word} in {key} of {place}")


def _remove(table: Document, key: str, words: Iterable[str], said: list[str], place: str) -> None:
    for word in words:
        while word in table.get(key, []):
            table[key].remove(word)
            said.append(f"- {word} in {key} of {place}")


def _set(table: Document, key: str, value: Any, said: list[str], place: str) -> None:
    if table.get(key) != value:
        said.append(f"{'~' if key in table else '+'} {key} = {json.dumps(value)} in {place}")
        table[key] = value


def _add_folders(table: Document, folders: Iterable[FolderSection], said: list[str], place: str) -> None:
    for folder in folders:
        new = {"name": folder.name, "folder": str(folder.folder), "mode": folder.mode}
        roots: list[Document] = table.get("roots", [])
        old = next((root for root in roots if root["name"] == folder.name), None)
        told = f"{folder.name} = {folder.folder} ({folder.mode}) in roots of {place}"
        if old is None:
            table.setdefault("roots", [])
            table["roots"].append(new)
            said.append(f"+ {told}")
        elif (old["folder"], old.get("mode", "read")) != (new["folder"], new["mode"]):
            old["folder"], old["mode"] = new["folder"], new["mode"]
            said.append(f"~ {told}")

"""Under which id a candidate is listed when its own is taken, or cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcp_server.errors import NameCollision
from mcp_server.registry.discovery import Found
from mcp_server.registry.record import PluginRecord

__all__ = ["by_path", "id_of_broken", "second_claim"]

Records = Mapping[str, PluginRecord]


def by_path(records: Records, path: Path) -> PluginRecord | None:
    """The record of the plugin that was found there."""
    return next((record for record in records.values() if record.path == path), None)


def second_claim(records: Records, plugin: str, found: Found) -> tuple[str, NameCollision]:
    """An id for a plugin whose own id another one has, and what to say about it."""
    first = records[plugin].path
    error = NameCollision(
        f"two plugins claim the id '{plugin}': {first} and {found.path}; the first keeps it",
        fix="change the id in one of the two manifests, or remove one",
    )
    return _numbered(records, plugin, found), error


def id_of_broken(records: Records, found: Found, seen: set[str]) -> str:
    """The id it had while its manifest could be read, else one made of its path that nobody else has."""
    known = by_path(records, found.path)
    if known is not None and known.id not in seen:
        return known.id
    taken = found.guessed_id in seen or found.guessed_id in records
    return _numbered(records, found.guessed_id, found) if taken else found.guessed_id


def _numbered(records: Records, plugin: str, found: Found) -> str:
    number = 2
    while f"{plugin}#{number}" in records and records[f"{plugin}#{number}"].path != found.path:
        number += 1
    return f"{plugin}#{number}"

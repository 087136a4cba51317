"""Between rows of ``memories`` and values, and the words that name the owner in every statement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_server.backends.values import MemoryRecord, NewMemory

__all__ = ["COLUMNS", "OWNED", "as_json", "insertion", "record", "size_of"]

OWNED = "m.principal = :principal AND m.plugin = :plugin"
"""In the WHERE of every statement on ``memories m``."""

COLUMNS = """m.id, m.content, m.memory_type, m.principal, m.agent_id, m.run_id, m.metadata, m.created_at, m.updated_at,
  m.hash, m.version, m.expires_at, m.importance"""
_METADATA, _HASH = 6, 9


def record(row: Sequence[Any]) -> MemoryRecord:
    """From the values of :data:`COLUMNS`."""
    text = row[_METADATA]
    metadata: dict[str, Any] = {} if text == "{}" else json.loads(text)
    return MemoryRecord._make((*row[:6], metadata, row[7], row[8], row[_HASH].hex(), *row[10:13]))


def insertion(principal: str, plugin: str, memory: NewMemory, metadata: str) -> tuple[Any, ...]:
    """Bindings in the order of the columns: by name they take longer than the insertion itself."""
    return (
        principal,
        plugin,
        memory.id,
        memory.agent_id,
        memory.run_id,
        memory.memory_type,
        memory.content,
        metadata,
        memory.importance,
        memory.created_at,
        memory.updated_at,
        memory.expires_at,
        memory.version,
        bytes.fromhex(memory.hash),
        memory.analyzed,
    )


def as_json(value: Mapping[str, Any]) -> str:
    """Compact, with keys in their own characters, so that a path finds them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else "{}"


def size_of(content: str, metadata: str) -> int:
    """What one memory counts against the quota, with a flat share for its other columns and index entries."""
    return len(content.encode()) + len(metadata.encode()) + 256

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
    values = list(row[:13])
    text = values[_METADATA]
    values[_METADATA] = {} if text == "{}" else json.loads(text)
    values[_HASH] = values[_HASH].hex()
    return MemoryRecord(*values)


def insertion(principal: str, plugin: str, memory: NewMemory) -> dict[str, Any]:
    """Bindings by column name."""
    return {
        "principal": principal,
        "plugin": plugin,
        "id": memory.id,
        "agent_id": memory.agent_id,
        "run_id": memory.run_id,
        "memory_type": memory.memory_type,
        "content": memory.content,
        "metadata": as_json(memory.metadata),
        "importance": memory.importance,
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
        "expires_at": memory.expires_at,
        "version": memory.version,
        "hash": bytes.fromhex(memory.hash),
        "analyzed": memory.analyzed,
    }


def as_json(value: Mapping[str, Any]) -> str:
    """Compact, with keys in their own characters, so that a path finds them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else "{}"


def size_of(content: str, metadata: str) -> int:
    """What one memory counts against the quota, with a flat share for its other columns and index entries."""
    return len(content.encode()) + len(metadata.encode()) + 256

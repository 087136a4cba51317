"""What a memory looks like to those outside, and how one comes to be."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from typing_extensions import TypedDict  # which pydantic understands on every Python

from mcp_server.backends.values import Change, MemoryRecord, MemoryStats, NewMemory
from mcp_server.memory.analysis import analyze
from mcp_server.memory.requests import AddMemory
from mcp_server.memory.times import from_text, to_text

__all__ = ["Memory", "change_as_json", "content_hash", "memory_as_json", "new_id", "new_memory", "stats_as_json"]

_SECOND = 1_000_000


class Memory(TypedDict):
    """A memory as JSON; times are RFC 3339."""

    id: str
    content: str
    memory_type: str
    user_id: str
    agent_id: str | None
    run_id: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    hash: str
    version: int
    expires_at: str | None
    importance: float | None


def memory_as_json(record: MemoryRecord) -> Memory:
    """For a plugin, a client or a file."""
    return Memory(
        id=record.id,
        content=record.content,
        memory_type=record.memory_type,
        user_id=record.user_id,
        agent_id=record.agent_id,
        run_id=record.run_id,
        metadata=record.metadata,
        created_at=to_text(record.created_at),
        updated_at=to_text(record.updated_at),
        hash=record.hash,
        version=record.version,
        expires_at=None if record.expires_at is None else to_text(record.expires_at),
        importance=record.importance,
    )


def new_memory(request: AddMemory, now: int) -> NewMemory:
    """A memory with an id of its own."""
    expires_at = None if request.expires_at is None else from_text(request.expires_at)
    if request.ttl_seconds is not None:
        expires_at = now + request.ttl_seconds * _SECOND
    return NewMemory(
        id=new_id(now),
        content=request.content,
        analyzed=analyze(request.content),
        hash=content_hash(request.content),
        memory_type=request.memory_type,
        created_at=now,
        updated_at=now,
        metadata=request.metadata,
        agent_id=request.agent_id,
        run_id=request.run_id,
        importance=request.importance,
        expires_at=expires_at,
    )


def new_id(now: int) -> str:
    """A UUID of version 7: in the order of time, so that an index grows at its end, and 62 bits that nobody can guess.

    https://www.rfc-editor.org/rfc/rfc9562#section-5.7, with parts of the millisecond in front of the random bits.
    """
    milliseconds, rest = divmod(now, 1_000)
    chance = int.from_bytes(os.urandom(8), "big")
    return (
        f"{milliseconds >> 16 & 0xFFFF_FFFF:08x}-{milliseconds & 0xFFFF:04x}-7{rest * 4_096 // 1_000:03x}-"
        f"{chance >> 48 & 0x3FFF | 0x8000:04x}-{chance & 0xFFFF_FFFF_FFFF:012x}"
    )


def content_hash(content: str) -> str:
    """Equal for exact duplicates only."""
    return hashlib.sha256(content.encode()).hexdigest()


def change_as_json(change: Change) -> dict[str, Any]:
    """One line of a history; ``before`` names what was replaced, with the values it had."""
    return {
        "id": change.id,
        "version": change.version,
        "operation": change.operation,
        "at": to_text(change.at),
        "before": change.before and _with_times(change.before),
    }


def stats_as_json(stats: MemoryStats) -> dict[str, Any]:
    """Figures of one caller's memories."""
    return {
        "memories": stats.records,
        "bytes": stats.size,
        "vectors": stats.vectors,
        "changes": stats.changes,
        "oldest": None if stats.oldest is None else to_text(stats.oldest),
        "newest": None if stats.newest is None else to_text(stats.newest),
        "by_type": dict(stats.by_type),
    }


def _with_times(before: dict[str, Any]) -> dict[str, Any]:
    at = before.get("expires_at")
    return before if at is None else {**before, "expires_at": to_text(at)}

"""Memories as JSON lines: out for a backup or another program, in from one. One memory a line, as clients see it.

``user_id`` is written and not read: what is imported belongs to who imports it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from pydantic import Field

from mcp_server.backends.base import Store
from mcp_server.backends.conditions import AllOf
from mcp_server.backends.values import NewMemory
from mcp_server.memory.engine import DEFAULT_QUOTA
from mcp_server.memory.errors import InvalidRequest
from mcp_server.memory.model import memory_as_json, new_memory
from mcp_server.memory.requests import AddMemory, Label, Time, Version, read
from mcp_server.memory.times import from_text

__all__ = ["Imported", "export_lines", "import_lines"]

_BATCH = 500
_MOST_PROBLEMS = 100


class _Line(AddMemory):
    """A memory of a file: what an add takes, and what the file knows besides."""

    id: Label | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    version: Version = 1
    hash: Annotated[str | None, Field(description="Computed anew.")] = None


@dataclass(slots=True)
class Imported:
    """What an import did.

    Attributes:
        added: Memories that are new.
        duplicates: Lines whose memory was there, by its id or its content.
        problems: ``line <number>: what is wrong`` for lines that were left out; the first hundred.
    """

    added: int = 0
    duplicates: int = 0
    problems: list[str] = field(default_factory=list[str])


def export_lines(store: Store, principal: str, plugin: str) -> Iterator[str]:
    """Every memory, the newest first, expired ones too."""
    after = None
    while True:
        page = store.memories.page(principal, plugin, AllOf(()), after=after, limit=_BATCH, now=0)
        for record in page:
            yield json.dumps(memory_as_json(record), ensure_ascii=False, separators=(",", ":"))
        if len(page) < _BATCH:
            return
        after = (page[-1].created_at, page[-1].id)


def import_lines(
    store: Store, principal: str, plugin: str, lines: Iterable[str], *, now: int, quota: int = DEFAULT_QUOTA
) -> Imported:
    """Add the memories of ``lines``; ids, times and versions are kept, bad lines are told and left out.

    Raises:
        QuotaReached: ``memory_bytes``; batches before that one are stored.
    """
    report = Imported()
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(itertools.islice(numbered, _BATCH)):
        memories = [memory for number, line in batch if (memory := _parsed(number, line, now, report)) is not None]
        for outcome in store.memories.add(principal, plugin, memories, quota=quota):
            report.added += not outcome.duplicate
            report.duplicates += outcome.duplicate
    return report


def _parsed(number: int, line: str, now: int, report: Imported) -> NewMemory | None:
    try:
        value: object = json.loads(line)
        if not isinstance(value, dict):
            raise InvalidRequest("an object is due")
        known = {key: item for key, item in cast("dict[str, Any]", value).items() if key != "user_id"}
        return _memory(read(_Line, known), now)
    except InvalidRequest as error:
        problem = error.message
    except ValueError as error:
        problem = f"is no JSON: {error}"
    if len(report.problems) < _MOST_PROBLEMS:
        report.problems.append(f"line {number}: {problem}")
    return None


def _memory(line: _Line, now: int) -> NewMemory:
    fresh = new_memory(line, now)
    created_at = fresh.created_at if line.created_at is None else from_text(line.created_at)
    updated_at = created_at if line.updated_at is None else max(from_text(line.updated_at), created_at)
    return NewMemory(
        id=line.id or fresh.id,
        content=fresh.content,
        analyzed=fresh.analyzed,
        hash=fresh.hash,
        memory_type=fresh.memory_type,
        created_at=created_at,
        updated_at=updated_at,
        metadata=fresh.metadata,
        agent_id=fresh.agent_id,
        run_id=fresh.run_id,
        importance=fresh.importance,
        expires_at=fresh.expires_at,
        version=line.version,
    )

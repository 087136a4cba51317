"""Memories as JSON lines: out for a backup or another program, in from one. One memory a line, as clients see it.

``user_id`` is written and not read: what is imported belongs to who imports it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from pydantic import Field

from mcp_server.backends.base import Store
from mcp_server.backends.conditions import AllOf, Condition
from mcp_server.backends.values import Added, NewMemory
from mcp_server.errors import AgentMemError
from mcp_server.memory.engine import DEFAULT_QUOTA
from mcp_server.memory.errors import InvalidRequest
from mcp_server.memory.model import memory_as_json, new_memory
from mcp_server.memory.requests import AddMemory, Label, Time, Version, read
from mcp_server.memory.times import from_text

__all__ = ["Imported", "export_lines", "import_lines"]

_BATCH = 500
_MOST_PROBLEMS = 100
_ALL = AllOf(())


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
        refused: Lines that were left out: no memory, or one whose id belongs to other content here.
        problems: ``line <number>: what is wrong`` for those; the first hundred.
        stopped: What ended the import before the end of the lines, if something did.
        last_line: The last line that was looked at; where it stopped, everything up to there is stored or refused.
    """

    added: int = 0
    duplicates: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list[str])
    stopped: AgentMemError | None = None
    last_line: int = 0

    def refuse(self, number: int, why: str) -> None:
        """Line ``number`` is left out."""
        self.refused += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"line {number}: {why}")


def export_lines(store: Store, principal: str, plugin: str, condition: Condition = _ALL) -> Iterator[str]:
    """Every memory that ``condition`` chooses, the newest first, expired ones too."""
    after = None
    while True:
        page = store.memories.page(principal, plugin, condition, after=after, limit=_BATCH, now=0)
        for record in page:
            yield json.dumps(memory_as_json(record), ensure_ascii=False, separators=(",", ":"))
        if len(page) < _BATCH:
            return
        after = (page[-1].created_at, page[-1].id)


def import_lines(
    store: Store,
    principal: str,
    plugin: str,
    lines: Iterable[str | bytes],
    *,
    now: int,
    quota: int = DEFAULT_QUOTA,
    labels: Mapping[str, str] | None = None,
) -> Imported:
    """Add the memories of ``lines``; ids, times and versions are kept, bad lines are told and left out.

    A memory that is there already is left as it is, so a file may be imported again after a stop.

    Args:
        store: Where they go.
        principal: Whose they become.
        plugin: The space they go to.
        lines: One JSON object each, as UTF-8; blank ones count as lines.
        now: Microseconds since 1970, for lines without times.
        quota: Bytes of the space.
        labels: ``agent_id`` and ``run_id`` for memories that have none.
    """
    report, numbered = Imported(), enumerate(lines, 1)
    while batch := list(itertools.islice(numbered, _BATCH)):
        read_ = [(number, _parsed(number, line, now, labels or {}, report)) for number, line in batch if line.strip()]
        memories = [(number, memory) for number, memory in read_ if memory is not None]
        try:
            outcomes = store.memories.add(principal, plugin, [memory for _, memory in memories], quota=quota)
        except AgentMemError as error:  # the lines before are stored, and the caller says which
            report.stopped = error
            return report
        for (number, memory), outcome in zip(memories, outcomes, strict=True):
            _count(number, memory, outcome, report)
        report.last_line = batch[-1][0]
    return report


def _count(number: int, memory: NewMemory, outcome: Added, report: Imported) -> None:
    if not outcome.duplicate:
        report.added += 1
    elif outcome.record.hash == memory.hash:
        report.duplicates += 1
    else:
        there = f"version {outcome.record.version} with other content"
        report.refuse(number, f"id: '{memory.id}' is there in {there}, and was left as it is")


def _parsed(number: int, line: str | bytes, now: int, labels: Mapping[str, str], report: Imported) -> NewMemory | None:
    try:
        value: object = json.loads(line.decode().removeprefix("\ufeff") if isinstance(line, bytes) else line)
        if not isinstance(value, dict):
            raise InvalidRequest("an object is due")
        known = {key: item for key, item in cast("dict[str, Any]", value).items() if key != "user_id"}
        return _memory(read(_Line, known), now, labels)
    except InvalidRequest as error:
        report.refuse(number, error.message)
    except RecursionError:
        report.refuse(number, "is nested too deep")
    except UnicodeDecodeError as error:
        report.refuse(number, f"is no UTF-8: {error}")
    except ValueError as error:
        report.refuse(number, f"is no JSON: {error}")
    return None


def _memory(line: _Line, now: int, labels: Mapping[str, str]) -> NewMemory:
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
        agent_id=fresh.agent_id or labels.get("agent_id"),
        run_id=fresh.run_id or labels.get("run_id"),
        importance=fresh.importance,
        expires_at=fresh.expires_at,
        version=line.version,
    )

"""What hangs on a memory: its scope's counters, its full-text row, its terms' counts, its vector, its history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mcp_server.backends.errors import QuotaReached
from mcp_server.backends.sqlite.rows import as_json
from mcp_server.backends.sqlite.typed import Connection
from mcp_server.backends.values import Operation

__all__ = ["ScopeChange"]

_SCOPE = """INSERT INTO scopes (principal, plugin, generation, records, terms, size) VALUES (?1, ?2, 1, 0, 0, 0)
  ON CONFLICT (principal, plugin) DO UPDATE SET generation = generation + 1 RETURNING scope_id"""
_COUNT = """UPDATE scopes SET records = records + ?, terms = terms + ?, size = size + ?
  WHERE principal = ? AND plugin = ? RETURNING size"""
_MORE = """INSERT INTO terms (scope_id, term, documents) VALUES (?, ?, ?)
  ON CONFLICT (scope_id, term) DO UPDATE SET documents = documents + excluded.documents"""
_LESS = "DELETE FROM terms WHERE scope_id = ? AND term = ? AND documents <= 0"
_NOTE = """INSERT INTO history (principal, plugin, id, version, operation, at, before, size)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""


@dataclass(slots=True)
class ScopeChange:
    """Collects what one transaction changes in one scope; :meth:`finish` writes the sums."""

    connection: Connection
    principal: str
    plugin: str
    scope_id: int = 0
    _records: int = 0
    _terms: int = 0
    _size: int = 0
    _documents: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        (self.scope_id,) = next(self.connection.execute(_SCOPE, (self.principal, self.plugin)))

    def put(self, rid: int, analyzed: str, size: int) -> None:
        """Count a memory in, and make it findable."""
        terms = analyzed.split()
        self._records += 1
        self._terms += len(terms)
        self._size += size
        self._documents.update(set(terms))
        # The scope's token is an index hint; what is read afterwards names principal and plugin again.
        self.connection.execute(
            "INSERT INTO memories_fts (rowid, t, scope) VALUES (?, ?, ?)", (rid, analyzed, f"zz{self.scope_id}")
        )

    def take(self, rid: int, analyzed: str, size: int) -> None:
        """Count a memory out, with its full-text row and its vector."""
        terms = analyzed.split()
        self._records -= 1
        self._terms -= len(terms)
        self._size -= size
        self._documents.subtract(set(terms))
        self.connection.execute("DELETE FROM memories_fts WHERE rowid = ?", (rid,))
        self.connection.execute("DELETE FROM vectors WHERE scope_id = ? AND rid = ?", (self.scope_id, rid))

    def resize(self, by: int) -> None:
        """A memory that grew without other terms."""
        self._size += by

    def note(self, identifier: str, version: int, operation: Operation, at: int, before: dict[str, Any] | None) -> None:
        """Append to the history; what it keeps counts against the quota."""
        text = None if before is None else as_json(before)
        size = len(text.encode()) if text else 0
        self._size += size
        self.connection.execute(_NOTE, (self.principal, self.plugin, identifier, version, operation, at, text, size))

    def finish(self, quota: int | None) -> None:
        """Write the counters.

        Raises:
            QuotaReached: The scope has grown past ``quota`` bytes.
        """
        counts = sorted((term, count) for term, count in self._documents.items() if count)
        self.connection.executemany(_MORE, ((self.scope_id, term, count) for term, count in counts))
        self.connection.executemany(_LESS, ((self.scope_id, term) for term, count in counts if count < 0))
        sums = (self._records, self._terms, self._size, self.principal, self.plugin)
        (size,) = next(self.connection.execute(_COUNT, sums))
        if quota is not None and size > quota and self._size > 0:
            raise QuotaReached("memory_bytes", allowed=quota, used=size)

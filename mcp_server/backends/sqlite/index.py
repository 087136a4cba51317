"""What hangs on a memory: its scope's counters, its full-text row, its terms' counts, its vector, its history."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
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
_TEXT = "INSERT INTO memories_fts (rowid, t, scope) VALUES (?, ?, ?)"
_MORE = """INSERT INTO terms (scope_id, term, documents) SELECT ?, w.key, w.value FROM json_each(?) w WHERE true
  ON CONFLICT (scope_id, term) DO UPDATE SET documents = documents + excluded.documents"""
_LESS = "DELETE FROM terms WHERE scope_id = ? AND term = ? AND documents <= 0"
_COUNT_VECTORS = """INSERT INTO embedding_counts (scope_id, model, vectors) VALUES (?, ?, ?)
  ON CONFLICT (scope_id, model) DO UPDATE SET vectors = vectors + excluded.vectors"""
_NOTE = """INSERT INTO history (principal, plugin, id, version, operation, at, before, size)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""


@dataclass(slots=True)
class ScopeChange:
    """Collects what one transaction changes in one scope; :meth:`finish` writes the sums, the texts and the history."""

    connection: Connection
    principal: str
    plugin: str
    scope_id: int = 0
    _records: int = 0
    _terms: int = 0
    _size: int = 0
    _texts: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    _notes: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    _documents: Counter[str] = field(default_factory=Counter[str])
    _vectors: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        (self.scope_id,) = next(self.connection.execute(_SCOPE, (self.principal, self.plugin)))

    def put(self, rid: int, analyzed: str, size: int) -> None:
        """Count a memory in, and make it findable."""
        self._size += size
        self._texts.append((rid, analyzed))

    def take(self, rid: int, analyzed: str, size: int) -> None:
        """Count a memory out, with its full-text row and its vector."""
        terms = analyzed.split()
        self._records -= 1
        self._terms -= len(terms)
        self._size -= size
        self._documents.subtract(set(terms))
        self.connection.execute("DELETE FROM memories_fts WHERE rowid = ?", (rid,))
        vector = "DELETE FROM embeddings WHERE scope_id = ? AND rid = ? RETURNING model"
        for (model,) in self.connection.execute(vector, (self.scope_id, rid)):
            self._vectors[model] -= 1

    def resize(self, by: int) -> None:
        """A memory that grew without other terms."""
        self._size += by

    def note(self, identifier: str, version: int, operation: Operation, at: int, before: dict[str, Any] | None) -> None:
        """Append to the history; what it keeps counts against the quota."""
        text = None if before is None else as_json(before)
        size = len(text.encode()) if text else 0
        self._size += size
        self._notes.append((self.principal, self.plugin, identifier, version, operation, at, text, size))

    def finish(self, quota: int | None) -> None:
        """Write the counters.

        Raises:
            QuotaReached: The scope has grown past ``quota`` bytes.
        """
        self.connection.executemany(_NOTE, self._notes)
        # The scope's token is an index hint; what is read afterwards names principal and plugin again.
        token = f"zz{self.scope_id}"
        # After all inserts of records: each of those opens a savepoint, at which FTS5 would write out what it has.
        self.connection.executemany(_TEXT, ((rid, text, token) for rid, text in self._texts))
        terms = [text.split() for _, text in self._texts]
        self._records += len(terms)
        self._terms += sum(map(len, terms))
        self._documents.update(chain.from_iterable(map(set, terms)))
        counts = sorted((term, count) for term, count in self._documents.items() if count)
        if counts:  # in one statement: most of an upsert would be its call
            self.connection.execute(_MORE, (self.scope_id, json.dumps(dict(counts), ensure_ascii=False)))
        self.connection.executemany(_LESS, ((self.scope_id, term) for term, count in counts if count < 0))
        lost = ((self.scope_id, model, count) for model, count in self._vectors.items())
        self.connection.executemany(_COUNT_VECTORS, lost)
        sums = (self._records, self._terms, self._size, self.principal, self.plugin)
        (size,) = next(self.connection.execute(_COUNT, sums))
        if quota is not None and size > quota and self._size > 0:
            raise QuotaReached("memory_bytes", allowed=quota, used=size)

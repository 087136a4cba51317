"""Vectors of memories: kept in the file as float16, searched exactly. Which model made them is others' affair."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from mcp_server.backends.conditions import Condition
from mcp_server.backends.sqlite.database import Database
from mcp_server.backends.sqlite.matrices import Batch, Key, Matrices, Source, cosines, pack
from mcp_server.backends.sqlite.rows import COLUMNS, OWNED, record
from mcp_server.backends.sqlite.where import Where
from mcp_server.backends.values import MemoryRecord, Neighbour, NewVector

__all__ = ["DEFAULT_VECTOR_CACHE", "SqliteVectors"]

DEFAULT_VECTOR_CACHE = 256 * 1024 * 1024
_MORE_THAN_ASKED = 14
_ROWS_AT_ONCE = 8_192
_VECTOR, _RID = 14, 13
_TOUCH = f"""UPDATE scopes AS m SET generation = m.generation + 1 WHERE {OWNED}
  RETURNING scope_id, generation"""  # noqa: S608  # our words only, here and below
_TARGET = f"""SELECT m.rid, e.model FROM memories m LEFT JOIN embeddings e ON e.scope_id = :scope AND e.rid = m.rid
  WHERE {OWNED} AND m.id = :id AND m.hash = :hash"""  # noqa: S608
_PUT = """INSERT INTO embeddings (scope_id, rid, model, dim, generation, v) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (rid) DO UPDATE
  SET model = excluded.model, dim = excluded.dim, generation = excluded.generation, v = excluded.v"""
_COUNT = """INSERT INTO embedding_counts (scope_id, model, vectors) VALUES (?, ?, ?)
  ON CONFLICT (scope_id, model) DO UPDATE SET vectors = vectors + excluded.vectors"""
_SOURCE = f"""SELECT m.scope_id, m.generation, m.records,
  COALESCE((SELECT c.vectors FROM embedding_counts c WHERE c.scope_id = m.scope_id AND c.model = :model), 0),
  (SELECT max(rid) FROM embeddings) FROM scopes m WHERE {OWNED}"""  # noqa: S608
_WRITTEN = "WHERE scope_id = ? AND generation > ? AND model = ? AND dim = ?"
_SINCE = f"SELECT rid, v FROM embeddings {_WRITTEN}"  # noqa: S608
_MOST_OF_THEM = f"SELECT rid, v FROM embeddings NOT INDEXED {_WRITTEN}"  # noqa: S608
_NEAR = f"""SELECT {COLUMNS}, m.rid, e.v FROM json_each(:rids) w CROSS JOIN memories m ON m.rid = w.value
  CROSS JOIN embeddings e ON e.scope_id = :scope AND e.rid = m.rid AND e.model = :model AND e.dim = :dim
  WHERE {OWNED} AND """  # noqa: S608
_GONE = """SELECT w.value FROM json_each(?) w WHERE NOT EXISTS (SELECT 1 FROM embeddings e
  WHERE e.scope_id = ? AND e.rid = w.value AND e.model = ? AND e.dim = ?)"""
_UNEMBEDDED = f"""SELECT {COLUMNS} FROM memories m JOIN scopes s ON s.principal = m.principal AND s.plugin = m.plugin
  WHERE {OWNED} AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.scope_id = s.scope_id AND e.rid = m.rid
  AND e.model = :model) LIMIT :limit"""  # noqa: S608


class SqliteVectors:
    """The ``embeddings`` table, and the matrices made of it.

    Args:
        database: Where it lies.
        cache: Bytes of matrices.
    """

    def __init__(self, database: Database, cache: int = DEFAULT_VECTOR_CACHE) -> None:
        self._database = database
        self._matrices = Matrices(cache)

    def put_vectors(self, principal: str, plugin: str, model: str, vectors: Sequence[NewVector]) -> int:
        """As the contract says."""
        owner: dict[str, Any] = {"principal": principal, "plugin": plugin}
        counts: Counter[str] = Counter()
        kept = 0
        with self._database.write() as connection:
            scope = connection.execute(_TOUCH, owner).fetchone()
            if scope is None:
                return 0
            owner["scope"], generation = scope
            for identifier, content, vector in vectors:
                target = {**owner, "id": identifier, "hash": bytes.fromhex(content)}
                for rid, older in connection.execute(_TARGET, target).fetchall():
                    kept += 1
                    counts[model] += 1
                    if older is not None:
                        counts[older] -= 1
                    values = (owner["scope"], rid, model, len(vector), generation, pack(vector))
                    connection.execute(_PUT, values)
            connection.executemany(_COUNT, [(owner["scope"], name, count) for name, count in counts.items() if count])
        return kept

    def nearest(
        self,
        principal: str,
        plugin: str,
        model: str,
        vector: Sequence[float],
        condition: Condition,
        *,
        limit: int,
        now: int,
    ) -> Sequence[Neighbour]:
        """As the contract says: the matrix gives an order, the rows themselves decide."""
        owner: dict[str, Any] = {"principal": principal, "plugin": plugin, "model": model}
        scopes = self._database.rows(_SOURCE, owner)
        if not scopes or not scopes[0][3]:
            return []
        scope_id, generation, _, count, last_rid = scopes[0]
        key = Key(scope_id, model, len(vector))
        # To look up half of all rows takes longer than to read them all: 316 against 130 ms at 100 000 rows.
        everything = _MOST_OF_THEM if 2 * count >= last_rid else _SINCE
        source = Source(
            generation, count, lambda since: self._changes(_SINCE if since >= 0 else everything, key, since)
        )
        where = Where(condition, now)
        bindings = {**where.bindings, **owner, "scope": scope_id, "dim": len(vector)}
        found: list[tuple[float, int, MemoryRecord]] = []
        for rids in self._matrices.ranked(key, vector, source, limit + _MORE_THAN_ASKED):
            rows = self._database.rows(_NEAR + where.sql, bindings | {"rids": json.dumps(rids)})
            values = cosines(vector, [row[_VECTOR] for row in rows])
            found += [(value, row[_RID], record(row)) for value, row in zip(values, rows, strict=True)]
            self._drop_gone(key, set(rids).difference(row[_RID] for row in rows))
            if len(found) >= limit:
                break
        found.sort(key=lambda one: (-one[0], -one[1]))
        return [Neighbour(memory, value) for value, _, memory in found[:limit]]

    def without_vector(self, principal: str, plugin: str, model: str, *, limit: int) -> Sequence[MemoryRecord]:
        """As the contract says."""
        owner = {"principal": principal, "plugin": plugin, "model": model, "limit": limit}
        return [record(row) for row in self._database.rows(_UNEMBEDDED, owner)]

    def count_without_vector(self, principal: str, plugin: str, model: str) -> int:
        """As the contract says: from the scope's counters."""
        rows = self._database.rows(_SOURCE, {"principal": principal, "plugin": plugin, "model": model})
        return rows[0][2] - rows[0][3] if rows else 0

    def _changes(self, sql: str, key: Key, since: int) -> Iterator[Batch]:
        """What was written after generation ``since``, as of one moment: no row comes twice."""
        return self._database.batches(sql, (key.scope_id, since, key.model, key.dim), _ROWS_AT_ONCE)

    def _drop_gone(self, key: Key, missing: set[int]) -> None:
        """Of what the condition left out, forget what is no longer there."""
        if missing:
            values = (json.dumps(sorted(missing)), *key)
            self._matrices.forget(key, [rid for (rid,) in self._database.rows(_GONE, values)])

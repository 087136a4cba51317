"""Memories: what is read and searched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mcp_server.backends.base import Position
from mcp_server.backends.conditions import Condition
from mcp_server.backends.sqlite.rows import COLUMNS, OWNED, record
from mcp_server.backends.sqlite.vectors import SqliteVectors
from mcp_server.backends.sqlite.where import Where
from mcp_server.backends.values import (
    Candidate,
    Change,
    MemoryRecord,
    MemoryStats,
    Vocabulary,
)

__all__ = ["SqliteFinding"]

_GET = f"""SELECT {COLUMNS} FROM memories m WHERE {OWNED} AND m.id = :id
  AND (m.expires_at IS NULL OR m.expires_at > :now)"""  # noqa: S608  # our words only, here and below
_SCOPE = f"""SELECT scope_id, records, terms, size, (SELECT max(rid) FROM memories) FROM scopes m
  WHERE {OWNED}"""  # noqa: S608
_HITS = """SELECT rowid AS rid, bm25(memories_fts, 1.0, 0.0) AS s FROM memories_fts
  WHERE memories_fts MATCH :match ORDER BY s, rid DESC LIMIT :most"""
_MATCH = f"""WITH hits AS MATERIALIZED ({_HITS})
  SELECT {COLUMNS}, m.analyzed, (SELECT count(*) FROM hits) FROM hits
  CROSS JOIN memories m ON m.rid = hits.rid WHERE {OWNED} AND """  # noqa: S608
_SIMILAR = f"""SELECT t.term, t.documents FROM scopes m CROSS JOIN terms t ON t.scope_id = m.scope_id
  WHERE {OWNED} AND length(t.term) BETWEEN :least AND :most
  AND (substr(t.term, 1, 1) = :first OR substr(t.term, -1) = :last)"""  # noqa: S608
_TERMS = f"""SELECT t.term, t.documents FROM scopes m CROSS JOIN json_each(:terms) w
  CROSS JOIN terms t ON t.scope_id = m.scope_id AND t.term = w.value WHERE {OWNED}"""  # noqa: S608
_HISTORY = f"""SELECT m.id, m.version, m.operation, m.at, m.before FROM history m
  WHERE {OWNED} AND m.id = :id ORDER BY m.seq DESC LIMIT :limit"""  # noqa: S608
_FIGURES = f"""SELECT (SELECT count(*) FROM embeddings e JOIN scopes m ON m.scope_id = e.scope_id WHERE {OWNED}),
  (SELECT count(*) FROM history m WHERE {OWNED}),
  (SELECT min(created_at) FROM memories m WHERE {OWNED}), (SELECT max(created_at) FROM memories m WHERE {OWNED})"""  # noqa: S608
_BY_TYPE = f"SELECT m.memory_type, count(*) FROM memories m WHERE {OWNED} GROUP BY 1 ORDER BY 1"  # noqa: S608
_ANALYZED, _HIT_COUNT = 13, 14


class SqliteFinding(SqliteVectors):
    """Everything that reads ``memories``."""

    def get(self, principal: str, plugin: str, identifier: str, *, now: int) -> MemoryRecord | None:
        """As the contract says."""
        owner = {"principal": principal, "plugin": plugin, "id": identifier, "now": now}
        rows = self._database.rows(_GET, owner)
        return record(rows[0]) if rows else None

    def page(
        self, principal: str, plugin: str, condition: Condition, *, after: Position | None, limit: int, now: int
    ) -> Sequence[MemoryRecord]:
        """As the contract says."""
        where = Where(condition, now)
        bindings = {**where.bindings, "principal": principal, "plugin": plugin, "limit": limit}
        sql = f"SELECT {COLUMNS} FROM memories m WHERE {OWNED} AND {where.sql}"  # noqa: S608
        if after is not None:
            sql += " AND (m.created_at, m.id) < (:created_at, :id)"
            bindings |= {"created_at": after[0], "id": after[1]}
        return self._records(f"{sql} ORDER BY m.created_at DESC, m.id DESC LIMIT :limit", bindings)

    def match(
        self, principal: str, plugin: str, terms: Sequence[str], condition: Condition, *, limit: int, now: int
    ) -> Sequence[Candidate]:
        """As the contract says.

        FTS5 gives its best few; only where a condition, expiry or other scopes thin those out, it gives every match.
        """
        owner = {"principal": principal, "plugin": plugin}
        scopes = self._database.rows(_SCOPE, owner)
        if not scopes or not scopes[0][1] or not terms:
            return []
        scope_id, records, _, _, last_rid = scopes[0]
        where = Where(condition, now)
        # To intersect with the scope's token costs more than to read past the others where most rows are the scope's
        # own: 7.5 against 2.0 ms at 100 000 rows. Either way the WHERE decides.
        mostly_own = 2 * records >= last_rid
        quoted = " OR ".join(f'"{term}"' for term in terms)  # the analyzer leaves no quote in a term
        match = f"t:({quoted})" if mostly_own else f"scope:zz{scope_id} AND t:({quoted})"
        bindings = {**where.bindings, **owner, "match": match, "limit": limit}
        sql = f"{_MATCH}{where.sql} ORDER BY hits.s, m.created_at DESC, m.id DESC LIMIT :limit"
        most = (3 * limit * last_rid // (2 * records) if mostly_own else limit) if where.is_plain else -1
        rows = self._database.rows(sql, bindings | {"most": most})
        if len(rows) < limit and most >= 0 and not (rows and rows[0][_HIT_COUNT] < most):
            rows = self._database.rows(sql, bindings | {"most": -1})
        return [Candidate(record(row), row[_ANALYZED]) for row in rows]

    def vocabulary(self, principal: str, plugin: str, terms: Sequence[str]) -> Vocabulary:
        """As the contract says."""
        owner: dict[str, Any] = {"principal": principal, "plugin": plugin}
        scopes = self._database.rows(_SCOPE, owner)
        if not scopes:
            return Vocabulary(0, 0.0, {})
        _, records, length, _, _ = scopes[0]
        owner["terms"] = json.dumps(list(terms))
        return Vocabulary(records, length / max(records, 1), dict(self._database.rows(_TERMS, owner)))

    def similar_terms(self, principal: str, plugin: str, term: str, slips: int) -> Sequence[tuple[str, int]]:
        """As the contract says."""
        owner = {
            "principal": principal,
            "plugin": plugin,
            "least": len(term) - slips,
            "most": len(term) + slips,
            "first": term[:1],
            "last": term[-1:],
        }
        return [(known, documents) for known, documents in self._database.rows(_SIMILAR, owner)]

    def history(self, principal: str, plugin: str, identifier: str, *, limit: int) -> Sequence[Change]:
        """As the contract says."""
        owner = {"principal": principal, "plugin": plugin, "id": identifier, "limit": limit}
        rows = self._database.rows(_HISTORY, owner)
        return [Change(*row[:4], before=None if row[4] is None else json.loads(row[4])) for row in rows]

    def stats(self, principal: str, plugin: str) -> MemoryStats:
        """As the contract says."""
        owner = {"principal": principal, "plugin": plugin}
        scopes = self._database.rows(_SCOPE, owner) or [(0, 0, 0, 0, 0)]
        _, records, _, size, _ = scopes[0]
        by_type = dict(self._database.rows(_BY_TYPE, owner))
        vectors, changes, oldest, newest = self._database.rows(_FIGURES, owner)[0]
        return MemoryStats(records, size, vectors, changes, oldest, newest, by_type)

    def _records(self, sql: str, bindings: dict[str, Any]) -> list[MemoryRecord]:
        return [record(row) for row in self._database.rows(sql, bindings)]

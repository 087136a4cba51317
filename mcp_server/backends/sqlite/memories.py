"""Memories: what is written. Each method is one transaction over the record and all that hangs on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mcp_server.backends.conditions import Condition
from mcp_server.backends.errors import ConfirmationNeeded, MemoryNotFound, VersionConflict
from mcp_server.backends.sqlite.finding import SqliteFinding
from mcp_server.backends.sqlite.index import ScopeChange
from mcp_server.backends.sqlite.rows import COLUMNS, OWNED, as_json, insertion, record, size_of
from mcp_server.backends.sqlite.where import Where
from mcp_server.backends.values import Added, MemoryChanges, MemoryRecord, NewMemory, Operation

__all__ = ["SqliteMemories"]

_INSERT = """INSERT INTO memories (principal, plugin, id, agent_id, run_id, memory_type, content, metadata, importance,
    created_at, updated_at, expires_at, version, hash, analyzed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (principal, plugin, id) DO NOTHING"""
_NAMED = f"""SELECT 1 FROM json_each(:ids) w CROSS JOIN memories m ON m.id = w.value WHERE {OWNED}
  UNION ALL SELECT 1 FROM json_each(:hashes) w CROSS JOIN memories m ON m.hash = unhex(w.value) WHERE {OWNED}
  LIMIT 1"""  # noqa: S608  # our words only, here and below
_TWIN = f"""SELECT {COLUMNS} FROM memories m WHERE {OWNED} AND m.hash = :hash AND m.agent_id IS :agent_id
  AND m.run_id IS :run_id AND (m.expires_at IS NULL OR m.expires_at > :updated_at) LIMIT 1"""  # noqa: S608
_NAMESAKE = f"SELECT {COLUMNS} FROM memories m WHERE {OWNED} AND m.id = :id"  # noqa: S608
_SEEN = f"SELECT {COLUMNS}, m.rid, m.analyzed FROM memories m WHERE {OWNED} AND m.id = :id"  # noqa: S608
_CHOSEN = f"SELECT {COLUMNS}, m.rid, m.analyzed FROM memories m WHERE {OWNED} AND "  # noqa: S608
_DELETE = f"DELETE FROM memories AS m WHERE {OWNED} AND m.rid = :rid"  # noqa: S608
_CHANGEABLE = (
    "content",
    "analyzed",
    "hash",
    "memory_type",
    "metadata",
    "importance",
    "expires_at",
    "agent_id",
    "run_id",
)
_RID, _ANALYZED = 13, 14
_BATCH = 500


class SqliteMemories(SqliteFinding):
    """The ``memories`` table and its indexes."""

    def add(self, principal: str, plugin: str, memories: Sequence[NewMemory], *, quota: int) -> Sequence[Added]:
        """As the contract says."""
        with self._database.write() as connection:
            change = ScopeChange(connection, principal, plugin)
            if len(memories) > 1 and _all_new(change, memories):
                outcomes = _add_new(change, memories)
            else:
                outcomes = [_add(change, memory) for memory in memories]
            change.finish(quota)
            return outcomes

    def update(
        self,
        principal: str,
        plugin: str,
        identifier: str,
        changes: MemoryChanges,
        *,
        quota: int,
        if_version: int | None = None,
    ) -> MemoryRecord:
        """As the contract says."""
        owner = {"principal": principal, "plugin": plugin, "id": identifier}
        with self._database.write() as connection:
            row = connection.execute(_SEEN, owner).fetchone()
            seen = record(row) if row else None
            if row is None or seen is None or (seen.expires_at or changes.at + 1) <= changes.at:
                raise MemoryNotFound(identifier)
            _check_version(identifier, if_version, seen.version)
            values = _stored_form(changes)
            names = [name for name in _CHANGEABLE if name in values]
            assignments = "".join(f", {name} = :{name}" for name in names)
            sql = f"""UPDATE memories AS m SET version = m.version + 1, updated_at = :at{assignments}
              WHERE {OWNED} AND m.id = :id"""  # noqa: S608  # names are of _CHANGEABLE
            connection.execute(sql, {**values, **owner, "at": changes.at})
            changed = record(next(connection.execute(_SEEN, owner)))
            change = ScopeChange(connection, principal, plugin)
            _move(change, row, seen, changed, values.get("analyzed"))
            change.note(identifier, changed.version, "update", changes.at, _before(seen, names))
            change.finish(quota)
            return changed

    def delete(self, principal: str, plugin: str, identifier: str, *, at: int, if_version: int | None = None) -> bool:
        """As the contract says."""
        owner = {"principal": principal, "plugin": plugin, "id": identifier}
        with self._database.write() as connection:
            row = connection.execute(_SEEN, owner).fetchone()
            seen = None if row is None else record(row)
            expired = seen is not None and seen.expires_at is not None and seen.expires_at <= at
            actual = 0 if seen is None or expired else seen.version
            _check_version(identifier, if_version, actual)
            if row is not None:
                change = ScopeChange(connection, principal, plugin)
                _delete(change, row, at, "delete")
                change.finish(None)
            return bool(actual)

    def delete_where(self, principal: str, plugin: str, condition: Condition, *, at: int, expected: int | None) -> int:
        """As the contract says."""
        where = Where(condition)
        owner = {"principal": principal, "plugin": plugin}
        with self._database.write() as connection:
            rows = connection.execute(_CHOSEN + where.sql, {**where.bindings, **owner}).fetchall()
            if rows and len(rows) != expected:
                raise ConfirmationNeeded(len(rows))
            if rows:
                change = ScopeChange(connection, principal, plugin)
                for row in rows:
                    _delete(change, row, at, "delete")
                change.finish(None)
            return len(rows)

    def sweep(self, now: int) -> int:
        """Delete everybody's expired memories, a batch at a time so that writers get in between."""
        swept = 0
        while True:
            found = self._database.rows(
                "SELECT DISTINCT principal, plugin FROM memories WHERE expires_at <= ? LIMIT 1", (now,)
            )
            if not found:
                return swept
            principal, plugin = found[0]
            with self._database.write() as connection:
                rows = connection.execute(
                    f"{_CHOSEN} m.expires_at <= :now LIMIT {_BATCH}",
                    {"principal": principal, "plugin": plugin, "now": now},
                ).fetchall()
                change = ScopeChange(connection, principal, plugin)
                for row in rows:
                    _delete(change, row, now, "expire")
                change.finish(None)
            swept += len(rows)

    def drop_history(self, before: int) -> int:
        """Forget everybody's changes older than ``before``, and what they counted."""
        with self._database.write() as connection:
            gone = connection.execute(
                "DELETE FROM history WHERE at < ? RETURNING principal, plugin, size", (before,)
            ).fetchall()
            connection.executemany(
                "UPDATE scopes SET size = size - ?3 WHERE principal = ?1 AND plugin = ?2",
                (row for row in gone if row[2]),
            )
            return len(gone)


def _all_new(change: ScopeChange, memories: Sequence[NewMemory]) -> bool:
    """Whether no id and no content of ``memories`` is stored already or comes twice."""
    ids, hashes = {memory.id for memory in memories}, {memory.hash for memory in memories}
    if len(ids) < len(memories) or len(hashes) < len(memories):
        return False
    bindings = {"ids": json.dumps(list(ids)), "hashes": json.dumps(list(hashes))}
    owner = {"principal": change.principal, "plugin": change.plugin}
    return change.connection.execute(_NAMED, bindings | owner).fetchone() is None


def _add_new(change: ScopeChange, memories: Sequence[NewMemory]) -> list[Added]:
    """Add those that :func:`_all_new` looked at, in half the time of one after another."""
    texts = [as_json(memory.metadata) for memory in memories]
    rows = (insertion(change.principal, change.plugin, *pair) for pair in zip(memories, texts, strict=True))
    rids = change.connection.executemany(f"{_INSERT} RETURNING rid", rows).fetchall()
    for (rid,), memory, metadata in zip(rids, memories, texts, strict=True):
        change.put(rid, memory.analyzed, size_of(memory.content, metadata))
        change.note(memory.id, memory.version, "add", memory.updated_at, None)
    return [Added(_stored(change.principal, memory), duplicate=False) for memory in memories]


def _add(change: ScopeChange, memory: NewMemory) -> Added:
    twin = _row_like(change, memory, _TWIN)
    if twin is not None:
        return Added(record(twin), duplicate=True)
    metadata = as_json(memory.metadata)
    change.connection.execute(_INSERT, insertion(change.principal, change.plugin, memory, metadata))
    if not change.connection.changes():
        namesake = _row_like(change, memory, _NAMESAKE)
        assert namesake is not None  # noqa: S101  # what the insertion met
        return Added(record(namesake), duplicate=True)
    change.put(change.connection.last_insert_rowid(), memory.analyzed, size_of(memory.content, metadata))
    change.note(memory.id, memory.version, "add", memory.updated_at, None)
    return Added(_stored(change.principal, memory), duplicate=False)


def _row_like(change: ScopeChange, memory: NewMemory, sql: str) -> tuple[Any, ...] | None:
    bindings = {
        "principal": change.principal,
        "plugin": change.plugin,
        "id": memory.id,
        "agent_id": memory.agent_id,
        "run_id": memory.run_id,
        "updated_at": memory.updated_at,
        "hash": bytes.fromhex(memory.hash),
    }
    return change.connection.execute(sql, bindings).fetchone()


def _stored(principal: str, memory: NewMemory) -> MemoryRecord:
    return MemoryRecord(
        memory.id,
        memory.content,
        memory.memory_type,
        principal,
        memory.agent_id,
        memory.run_id,
        dict(memory.metadata),
        memory.created_at,
        memory.updated_at,
        memory.hash,
        memory.version,
        memory.expires_at,
        memory.importance,
    )


def _move(
    change: ScopeChange, row: tuple[Any, ...], seen: MemoryRecord, changed: MemoryRecord, terms: str | None
) -> None:
    """Carry an update over to the index: anew where the content is new, else its size alone."""
    before = size_of(seen.content, as_json(seen.metadata))
    after = size_of(changed.content, as_json(changed.metadata))
    if terms is None or changed.hash == seen.hash:
        change.resize(after - before)
        return
    change.take(row[_RID], row[_ANALYZED], before)
    change.put(row[_RID], terms, after)


def _delete(change: ScopeChange, row: tuple[Any, ...], at: int, operation: Operation) -> None:
    seen = record(row)
    owner = {"principal": change.principal, "plugin": change.plugin, "rid": row[_RID]}
    change.connection.execute(_DELETE, owner)
    change.take(row[_RID], row[_ANALYZED], size_of(seen.content, as_json(seen.metadata)))
    change.note(seen.id, seen.version, operation, at, _before(seen, _CHANGEABLE))


def _stored_form(changes: MemoryChanges) -> dict[str, Any]:
    values = dict(changes.fields)
    if "metadata" in values:
        values["metadata"] = as_json(values["metadata"])
    if "hash" in values:
        values["hash"] = bytes.fromhex(values["hash"])
    return values


def _before(seen: MemoryRecord, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(seen, name) for name in names if name not in ("analyzed", "hash")}


def _check_version(identifier: str, expected: int | None, actual: int) -> None:
    if expected is not None and expected != actual:
        raise VersionConflict(f"memory '{identifier:.64}'", expected=expected, actual=actual)

"""The embedded store as a whole: opened, kept tidy, checked, closed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mcp_server.backends.errors import StoreError
from mcp_server.backends.sqlite.database import AtOnce, Database
from mcp_server.backends.sqlite.keyvalue import SqliteKeys
from mcp_server.backends.sqlite.memories import SqliteMemories
from mcp_server.backends.sqlite.spending import SqliteBudgets
from mcp_server.backends.sqlite.typed import Connection
from mcp_server.backends.sqlite.vectors import DEFAULT_VECTOR_CACHE
from mcp_server.backends.sqlite.where import fold
from mcp_server.backends.values import KeyFigures, Spending, StoreFigures

__all__ = ["SqliteStore"]

_DAY = 86_400_000_000

_CHECKS: tuple[tuple[str, str], ...] = (
    (
        "a memory is not in the full-text index",
        "SELECT count(*) FROM memories WHERE rid NOT IN (SELECT rowid FROM memories_fts)",
    ),
    (
        "a full-text row has no memory",
        "SELECT count(*) FROM memories_fts WHERE rowid NOT IN (SELECT rid FROM memories)",
    ),
    (
        "a vector has no memory",
        """SELECT count(*) FROM embeddings e WHERE NOT EXISTS (SELECT 1 FROM memories m
             JOIN scopes s ON s.principal = m.principal AND s.plugin = m.plugin
             WHERE m.rid = e.rid AND s.scope_id = e.scope_id)""",
    ),
    (
        "a scope's count of vectors is wrong",
        """SELECT count(*) FROM (SELECT scope_id, model, sum(n) AS more FROM (
             SELECT scope_id, model, 1 AS n FROM embeddings
             UNION ALL SELECT scope_id, model, -vectors FROM embedding_counts) GROUP BY scope_id, model)
           WHERE more <> 0""",
    ),
    (
        "a scope's counters are wrong",
        """SELECT count(*) FROM scopes s WHERE records <> (
             SELECT count(*) FROM memories m WHERE m.principal = s.principal AND m.plugin = s.plugin)
           OR size <> (SELECT COALESCE(sum(octet_length(content) + octet_length(metadata) + 256), 0) FROM memories m
             WHERE m.principal = s.principal AND m.plugin = s.plugin)
             + (SELECT COALESCE(sum(size), 0) FROM history h
             WHERE h.principal = s.principal AND h.plugin = s.plugin)""",
    ),
    (
        "a memory has no history",
        """SELECT count(*) FROM memories m WHERE NOT EXISTS (SELECT 1 FROM history h
             WHERE h.principal = m.principal AND h.plugin = m.plugin AND h.id = m.id)
           AND (SELECT min(at) FROM history) <= m.created_at""",
    ),
    (
        "the bytes of some keys are wrong",
        """SELECT count(*) FROM key_usage u WHERE size <> (SELECT COALESCE(sum(octet_length(key) + length(value)), 0)
             FROM keys k WHERE k.principal = u.principal AND k.plugin = u.plugin)""",
    ),
)


class SqliteStore:
    """Memories, key-value pairs and what was spent, in one file.

    Args:
        path: The file; created with its folder.
        busy_ms: How long a write waits for other processes.
        durable: Also survive a loss of power; a write is then about five times slower.
        clock: Microseconds since 1970, for values that expire.
        vector_cache: Bytes of vectors that are kept in memory, of the scopes searched last.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_ms: int = 5_000,
        durable: bool = False,
        clock: Callable[[], int] | None = None,
        vector_cache: int = DEFAULT_VECTOR_CACHE,
    ) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError("the store's folder cannot be made", fix=f"{path.parent}: {error.strerror}") from error
        self._database = Database(path, busy_ms=busy_ms, durable=durable, prepare=_prepare)
        self._memories = SqliteMemories(self._database, vector_cache)
        self._keys = SqliteKeys(self._database, clock or (lambda: time.time_ns() // 1_000))
        self._budgets = SqliteBudgets(self._database)
        self._caller = AtOnce(self._database)
        self._secret: bytes = self._database.rows("SELECT value FROM facts WHERE name = 'secret'")[0][0]

    @property
    def memories(self) -> SqliteMemories:
        """Memories."""
        return self._memories

    @property
    def keys(self) -> SqliteKeys:
        """Key-value pairs."""
        return self._keys

    @property
    def budgets(self) -> SqliteBudgets:
        """What was spent."""
        return self._budgets

    @property
    def caller(self) -> AtOnce:
        """How an event loop calls."""
        return self._caller

    @property
    def secret(self) -> bytes:
        """Seals cursors."""
        return self._secret

    def owners(self) -> Sequence[tuple[str, str]]:
        """As the contract says."""
        sql = "SELECT principal, plugin FROM scopes WHERE records > 0 ORDER BY principal, plugin"
        return [(principal, plugin) for principal, plugin in self._database.rows(sql)]

    def maintain(self, *, now: int, history_before: int = 0) -> int:
        """As the contract says; also moves the write-ahead log into the file, so that no write has to."""
        gone = self._memories.sweep(now) + self._keys.sweep(now) + self._budgets.sweep(now // _DAY)
        if history_before:
            gone += self._memories.drop_history(history_before)
        self._database.rows("PRAGMA wal_checkpoint(PASSIVE)")
        self._database.rows("PRAGMA optimize")
        return gone

    def figures(self, day: int) -> StoreFigures:
        """As the contract says."""
        rows = self._database.rows
        ((file_bytes,),) = rows("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        ((memories, memory_bytes),) = rows("SELECT COALESCE(sum(records), 0), COALESCE(sum(size), 0) FROM scopes")
        keys = rows("SELECT plugin, sum(size), max(size) FROM key_usage GROUP BY plugin")
        spent = rows("SELECT plugin, sum(tokens), sum(cost) FROM llm_spending WHERE day = ? GROUP BY plugin", (day,))
        return StoreFigures(
            file_bytes=file_bytes,
            memories=memories,
            memory_bytes=memory_bytes,
            keys={plugin: KeyFigures(size, most) for plugin, size, most in keys},
            spent={plugin: Spending(tokens, cost) for plugin, tokens, cost in spent},
        )

    def problems(self) -> Sequence[str]:
        """As the contract says."""
        found = [str(text) for (text,) in self._database.rows("PRAGMA integrity_check") if text != "ok"]
        try:
            with self._database.write() as connection:
                connection.execute("INSERT INTO memories_fts (memories_fts) VALUES ('integrity-check')")
        except StoreError as error:
            found.append(f"full-text index: {error.fix}")
        for sentence, sql in _CHECKS:
            ((count,),) = self._database.rows(sql)
            if count:
                found.append(f"{sentence} ({count})")
        return found

    def close(self) -> None:
        """Close the connections of all threads."""
        self._database.close()


def _prepare(connection: Connection) -> None:
    connection.create_scalar_function("fold", fold, 1, deterministic=True)

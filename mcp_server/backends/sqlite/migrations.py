"""The schema, as numbered steps that only go forward; ``user_version`` is the number of the last one done."""

from __future__ import annotations

import secrets

from mcp_server.backends.errors import StoreTooNew
from mcp_server.backends.sqlite.typed import Connection

__all__ = ["MIGRATIONS", "migrate"]

_FIRST = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE scopes (
  principal TEXT NOT NULL, plugin TEXT NOT NULL, scope_id INTEGER PRIMARY KEY,
  generation INTEGER NOT NULL, records INTEGER NOT NULL, terms INTEGER NOT NULL, size INTEGER NOT NULL,
  UNIQUE (principal, plugin)
);
CREATE TABLE memories (
  rid INTEGER PRIMARY KEY AUTOINCREMENT,
  principal TEXT NOT NULL, plugin TEXT NOT NULL, id TEXT NOT NULL,
  agent_id TEXT, run_id TEXT, memory_type TEXT NOT NULL, content TEXT NOT NULL, metadata TEXT NOT NULL,
  importance REAL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER,
  version INTEGER NOT NULL, hash BLOB NOT NULL, analyzed TEXT NOT NULL,
  UNIQUE (principal, plugin, id)
);
CREATE INDEX memories_by_time ON memories (principal, plugin, created_at, id);
CREATE INDEX memories_by_hash ON memories (principal, plugin, hash);
CREATE INDEX memories_by_expiry ON memories (expires_at) WHERE expires_at IS NOT NULL;
CREATE VIRTUAL TABLE memories_fts USING fts5 (
  t, scope, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M*'"
);
CREATE TABLE terms (
  scope_id INTEGER NOT NULL, term TEXT NOT NULL, documents INTEGER NOT NULL,
  PRIMARY KEY (scope_id, term)
) WITHOUT ROWID;
CREATE TABLE vectors (
  scope_id INTEGER NOT NULL, rid INTEGER NOT NULL, model TEXT NOT NULL, v BLOB NOT NULL,
  PRIMARY KEY (scope_id, rid)
) WITHOUT ROWID;
CREATE TABLE history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  principal TEXT NOT NULL, plugin TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
  operation TEXT NOT NULL, at INTEGER NOT NULL, before TEXT, size INTEGER NOT NULL
);
CREATE INDEX history_by_memory ON history (principal, plugin, id, seq);

CREATE TABLE keys (
  principal TEXT NOT NULL, plugin TEXT NOT NULL, key TEXT NOT NULL,
  value BLOB NOT NULL, version INTEGER NOT NULL, expires_at INTEGER,
  PRIMARY KEY (principal, plugin, key)
);
CREATE INDEX keys_by_expiry ON keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE key_usage (
  principal TEXT NOT NULL, plugin TEXT NOT NULL, size INTEGER NOT NULL, last_version INTEGER NOT NULL,
  PRIMARY KEY (principal, plugin)
) WITHOUT ROWID;
"""

_SPENDING = """
CREATE TABLE llm_spending (
  day INTEGER NOT NULL, principal TEXT NOT NULL, plugin TEXT NOT NULL, tokens INTEGER NOT NULL, cost INTEGER NOT NULL,
  PRIMARY KEY (day, plugin, principal)
) WITHOUT ROWID;
CREATE INDEX llm_spending_by_principal ON llm_spending (day, principal);
"""

# The scope's generation in each row tells what a cache of vectors has not read yet; the counts tell each search how
# many memories it did not cover.
_EMBEDDINGS = """
CREATE TABLE embeddings (
  scope_id INTEGER NOT NULL, rid INTEGER NOT NULL, model TEXT NOT NULL, dim INTEGER NOT NULL,
  generation INTEGER NOT NULL, v BLOB NOT NULL,
  PRIMARY KEY (scope_id, rid)
) WITHOUT ROWID;
CREATE INDEX embeddings_by_generation ON embeddings (scope_id, generation);
CREATE TABLE embedding_counts (
  scope_id INTEGER NOT NULL, model TEXT NOT NULL, vectors INTEGER NOT NULL,
  PRIMARY KEY (scope_id, model)
) WITHOUT ROWID;
INSERT INTO embeddings SELECT scope_id, rid, model, length(v) / 2, 0, v FROM vectors;
INSERT INTO embedding_counts SELECT scope_id, model, count(*) FROM vectors GROUP BY scope_id, model;
DROP TABLE vectors;
"""

# By row id alone: in a table without row ids a vector is part of the key, and with four of them on a page the way to
# each is seven pages long.
_EMBEDDINGS_BY_ROW = """
CREATE TABLE newer_embeddings (
  rid INTEGER PRIMARY KEY, scope_id INTEGER NOT NULL, model TEXT NOT NULL, dim INTEGER NOT NULL,
  generation INTEGER NOT NULL, v BLOB NOT NULL
);
INSERT INTO newer_embeddings SELECT rid, scope_id, model, dim, generation, v FROM embeddings ORDER BY rid;
DROP TABLE embeddings;
ALTER TABLE newer_embeddings RENAME TO embeddings;
CREATE INDEX embeddings_by_generation ON embeddings (scope_id, generation);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SPENDING, _EMBEDDINGS, _EMBEDDINGS_BY_ROW)
"""Never edit one that was released; append."""


def migrate(connection: Connection) -> None:
    """Bring the file to the last step; processes that start at once take turns.

    Raises:
        StoreTooNew: A later version of this program was here.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _version(connection)
        if done > len(MIGRATIONS):
            raise StoreTooNew(
                f"the store has schema {done}, this version knows {len(MIGRATIONS)}",
                fix="use the newer version of agentmem-mcp that wrote it, or another data folder",
            )
        for step in MIGRATIONS[done:]:
            connection.execute(step)
        if not done:
            connection.execute("INSERT INTO facts VALUES ('secret', ?)", (secrets.token_bytes(32),))
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: Connection) -> int:
    return int(next(connection.execute("PRAGMA user_version"))[0])

"""Values under keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcp_server.backends.errors import QuotaReached, VersionConflict
from mcp_server.backends.sqlite.database import Database
from mcp_server.backends.sqlite.typed import Connection
from mcp_server.backends.values import Entry, Stored

__all__ = ["SqliteKeys"]

_LOAD = "SELECT value, version, expires_at FROM keys WHERE principal = ? AND plugin = ? AND key = ?"
_PUT = """INSERT INTO keys (principal, plugin, key, value, version, expires_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (principal, plugin, key)
  DO UPDATE SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at"""
_SEEN = """SELECT version, length(value), expires_at FROM keys WHERE principal = ? AND plugin = ? AND key = ?"""
_USE = """INSERT INTO key_usage (principal, plugin, size, last_version) VALUES (?1, ?2, ?3, 1)
  ON CONFLICT (principal, plugin) DO UPDATE SET size = size + ?3, last_version = last_version + 1
  RETURNING size, last_version"""
_FREE = "UPDATE key_usage SET size = size - ? WHERE principal = ? AND plugin = ?"
_DROP = "DELETE FROM keys WHERE principal = ? AND plugin = ? AND key = ?"
_DROP_EXPIRED = """DELETE FROM keys WHERE principal = ? AND plugin = ? AND expires_at <= ?
  RETURNING octet_length(key) + length(value)"""
_USED = "SELECT size FROM key_usage WHERE principal = ? AND plugin = ?"
_LIST = """SELECT key, octet_length(value), version, expires_at FROM keys
  WHERE principal = :principal AND plugin = :plugin AND key > :after AND key >= :first AND (:end IS NULL OR key < :end)
  AND (expires_at IS NULL OR expires_at > :now) ORDER BY key LIMIT :limit"""


class SqliteKeys:
    """The ``keys`` table.

    Args:
        database: Where it lies.
        clock: Microseconds since 1970, for what expires.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def load(self, principal: str, plugin: str, key: str) -> Stored | None:
        """As the contract says."""
        rows = self._database.rows(_LOAD, (principal, plugin, key))
        if not rows:
            return None
        value, version, expires_at = rows[0]
        return Stored(value, version, expires_at) if expires_at is None or expires_at > self._clock() else None

    def store(
        self,
        principal: str,
        plugin: str,
        key: str,
        value: bytes,
        *,
        quota: int,
        expires_at: int | None = None,
        if_version: int | None = None,
    ) -> int:
        """As the contract says."""
        with self._database.write() as connection:
            actual, before = self._seen(connection, principal, plugin, key)
            _check_version(key, if_version, actual)
            after = len(key.encode()) + len(value)
            size, version = next(connection.execute(_USE, (principal, plugin, after - before)))
            if size > quota and after > before:
                size -= self._drop_expired(connection, principal, plugin, spared=key)
                if size > quota:
                    raise QuotaReached("kv_bytes", allowed=quota, used=size)
            connection.execute(_PUT, (principal, plugin, key, value, version, expires_at))
            return version

    def delete(self, principal: str, plugin: str, key: str, *, if_version: int | None = None) -> bool:
        """As the contract says."""
        with self._database.write() as connection:
            actual, before = self._seen(connection, principal, plugin, key)
            _check_version(key, if_version, actual)
            if before:
                connection.execute(_DROP, (principal, plugin, key))
                connection.execute(_FREE, (before, principal, plugin))
            return bool(actual)

    def list(self, principal: str, plugin: str, *, prefix: str, after: str, limit: int) -> Sequence[Entry]:
        """As the contract says."""
        bindings: dict[str, Any] = {
            "principal": principal,
            "plugin": plugin,
            "after": after,
            "first": prefix,
            "end": _successor(prefix),
            "now": self._clock(),
            "limit": limit,
        }
        return [Entry(*row) for row in self._database.rows(_LIST, bindings)]

    def used(self, principal: str, plugin: str) -> int:
        """As the contract says."""
        rows = self._database.rows(_USED, (principal, plugin))
        return rows[0][0] if rows else 0

    def sweep(self, now: int) -> int:
        """Delete everybody's expired values; how many that were."""
        owners = self._database.rows("SELECT DISTINCT principal, plugin FROM keys WHERE expires_at <= ?", (now,))
        swept = 0
        for principal, plugin in owners:
            with self._database.write() as connection:
                sizes = connection.execute(_DROP_EXPIRED, (principal, plugin, now)).fetchall()
                connection.execute(_FREE, (sum(size for (size,) in sizes), principal, plugin))
            swept += len(sizes)
        return swept

    def _seen(self, connection: Connection, principal: str, plugin: str, key: str) -> tuple[int, int]:
        """Version and counted size; what has expired is at version 0 and still counts."""
        for version, length, expires_at in connection.execute(_SEEN, (principal, plugin, key)):
            expired = expires_at is not None and expires_at <= self._clock()
            return (0 if expired else version), len(key.encode()) + length
        return 0, 0

    def _drop_expired(self, connection: Connection, principal: str, plugin: str, spared: str) -> int:
        """Free what has expired, but not ``spared``: its old size is already out of the sum."""
        now = self._clock()
        sql = _DROP_EXPIRED.replace("RETURNING", "AND key <> ? RETURNING")
        freed = sum(size for (size,) in connection.execute(sql, (principal, plugin, now, spared)))
        connection.execute(_FREE, (freed, principal, plugin))
        return freed


def _check_version(key: str, expected: int | None, actual: int) -> None:
    if expected is not None and expected != actual:
        raise VersionConflict(f"key '{key:.64}'", expected=expected, actual=actual)


def _successor(prefix: str) -> str | None:
    """The first text after everything that begins with ``prefix``; None where nothing comes after."""
    for at in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[at])
        if point < 0x10FFFF:
            following = 0xE000 if point == 0xD7FF else point + 1  # surrogates have no place in UTF-8
            return prefix[:at] + chr(following)
    return None

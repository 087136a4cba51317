"""The embedded store: one SQLite file through ``apsw``, which brings its own SQLite; processes may share it."""

from mcp_server.backends.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]

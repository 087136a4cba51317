"""One SQLite file: a connection per thread, transactions, and whether a thread waits for another process's write.

Reads never wait (WAL). A write takes the lock first (BEGIN IMMEDIATE), so that it waits before it has done anything
and can be repeated as a whole.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import anyio
import apsw
from anyio.to_thread import run_sync

from mcp_server.backends.errors import StoreBusy, StoreError
from mcp_server.backends.sqlite.failures import failure
from mcp_server.backends.sqlite.migrations import migrate
from mcp_server.backends.sqlite.typed import Bindings, Connection, connect

__all__ = ["AtOnce", "Database"]

T = TypeVar("T")
_OLDEST_SQLITE = 3_051_003  # before it two processes that checkpoint and write at once may corrupt the file
Prepare = Callable[[Connection], None]


class Database:
    """The file ``path``, created when it is not there, readable by its owner alone.

    Args:
        path: The file; its folder must exist.
        busy_ms: How long a write waits for other processes.
        durable: Also survive a loss of power, not only of the process; every write then waits for the disk.
        prepare: Registers functions on each new connection.
    """

    def __init__(self, path: Path, *, busy_ms: int, durable: bool, prepare: Prepare) -> None:
        if apsw.SQLITE_VERSION_NUMBER < _OLDEST_SQLITE:
            raise StoreError(f"SQLite {apsw.sqlite_lib_version()} is too old", fix="install apsw 3.54 or newer")
        self._path, self._busy_ms, self._durable, self._prepare = path, busy_ms, durable, prepare
        self._local = threading.local()
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._opening = threading.Lock()
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            migrate(self.connection)
        except apsw.Error as error:
            raise failure(error) from error
        except OSError as error:
            raise StoreError("the store's file cannot be opened", fix=f"{path}: {error.strerror}") from error

    @property
    def connection(self) -> Connection:
        """This thread's own.

        Raises:
            StoreError: The file cannot be opened any more, as :func:`failure` says.
        """
        try:
            return self._local.connection
        except AttributeError:
            try:
                return self._connect()
            except apsw.Error as error:
                raise failure(error) from error

    def _connect(self) -> Connection:
        connection = connect(self._path)
        connection.set_busy_timeout(self._busy_ms)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
        connection.execute("PRAGMA cache_size = -32768")
        connection.execute("PRAGMA journal_size_limit = 33554432")
        self._prepare(connection)
        self._local.connection = connection
        with self._opening:
            self._open.add(connection)
        return connection

    def rows(self, sql: str, bindings: Bindings = ()) -> list[tuple[Any, ...]]:
        """All rows of a reading statement.

        Raises:
            StoreError: As :func:`failure` says.
        """
        reader = getattr(self._local, "reader", None)
        try:
            if reader is None:  # this thread's own: a new one for each statement is a fifth of a small read
                reader = self._local.reader = self.connection.cursor()
            return reader.execute(sql, bindings).fetchall()
        except apsw.Error as error:
            raise failure(error) from error

    def batches(self, sql: str, bindings: Bindings, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a reading statement, ``size`` at a time, all as of one moment.

        Raises:
            StoreError: As :func:`failure` says.
        """
        try:
            found = self.connection.execute(sql, bindings)
            while batch := list(islice(found, size)):
                yield batch
        except apsw.Error as error:
            raise failure(error) from error

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction: committed at the end of the block, rolled back when the block raises.

        Raises:
            StoreError: As :func:`failure` says; nothing was written.
        """
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except apsw.Error as error:
            raise failure(error) from error
        finally:
            if connection.in_transaction:  # SQLite itself rolls back on a full disk
                connection.execute("ROLLBACK")

    @contextmanager
    def without_waiting(self) -> Generator[None]:
        """In this block this thread's writes raise ``StoreBusy`` at once where they would wait."""
        connection = self.connection
        connection.set_busy_timeout(0)
        try:
            yield
        finally:
            connection.set_busy_timeout(self._busy_ms)

    def close(self) -> None:
        """Close every thread's connection; no thread may use the database any more."""
        with self._opening:
            for connection in list(self._open):
                connection.close()
            self._open.clear()
        self._local = threading.local()


class AtOnce:
    """Calls the store on the event loop's own thread while that takes microseconds, and on others where it would wait.

    A hop to a thread costs more than the whole of a small read or write.

    Args:
        database: The one whose writes may have to wait.
        threads: How many calls may be away at one time.
    """

    def __init__(self, database: Database, threads: int = 8) -> None:
        self._database = database
        self._threads = threads
        self._limiter: anyio.CapacityLimiter | None = None

    @property
    def reads_here(self) -> bool:
        """Yes: readers wait for nobody."""
        return True

    async def soon(self, work: Callable[[], T]) -> T:
        """Now and here; away when another process holds the write lock."""
        try:
            with self._database.without_waiting():
                return work()
        except StoreBusy:
            return await self.away(work)

    async def away(self, work: Callable[[], T]) -> T:
        """On another thread."""
        if self._limiter is None:  # made on the loop it is used on
            self._limiter = anyio.CapacityLimiter(self._threads)
        return await run_sync(work, limiter=self._limiter)

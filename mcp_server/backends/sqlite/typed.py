"""The part of apsw this folder uses, with types: its own stubs leave bytes unknown on Python 3.11."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

__all__ = ["Bindings", "Connection", "Cursor", "Rows", "connect"]

_STATEMENTS_KEPT = 200
Row = tuple[Any, ...]
Bindings = Sequence[Any] | Mapping[str, Any]


class Rows(Protocol):
    """The rows of a statement."""

    def __iter__(self) -> Iterator[Row]: ...
    def __next__(self) -> Row: ...
    def fetchall(self) -> list[Row]: ...
    def fetchone(self) -> Row | None: ...


class Cursor(Protocol):
    """Runs one statement at a time, whose rows are its own."""

    def execute(self, statements: str, bindings: Bindings | None = None, /) -> Rows: ...


class Connection(Protocol):
    """One thread's access to the file."""

    @property
    def in_transaction(self) -> bool: ...
    def cursor(self) -> Cursor: ...
    def execute(self, statements: str, bindings: Bindings | None = None, /) -> Rows: ...
    def executemany(self, statements: str, sequenceofbindings: Iterable[Bindings], /) -> Rows: ...
    def last_insert_rowid(self) -> int: ...
    def changes(self) -> int: ...
    def total_changes(self) -> int: ...
    def set_busy_timeout(self, milliseconds: int, /) -> None: ...
    def create_scalar_function(
        self, name: str, callable: Callable[..., object], numargs: int, /, *, deterministic: bool
    ) -> None: ...
    def close(self) -> None: ...


def connect(path: Path) -> Connection:
    """Open ``path``."""
    return cast("Connection", apsw.Connection(os.fspath(path), statementcachesize=_STATEMENTS_KEPT))

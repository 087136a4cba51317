"""Reads the audit log back: its rows, and whether the chain holds from the first row kept to the head."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mcp_server.telemetry.chain import HEAD_NAME, Head, audit_files, guarded, opened, read_head

__all__ = ["Checked", "audit_rows", "check_audit", "newest_rows"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Attributes:
        rows: Rows that hold.
        files: Files looked at.
        head: Hash of the last row that holds; worth noting elsewhere.
        file: Where the chain breaks; empty when it holds.
        line: The line in that file, from 1.
        why: What is wrong there.
    """

    rows: int
    files: int
    head: str
    file: str = ""
    line: int = 0
    why: str = ""


class _Broken(Exception):
    def __init__(self, file: str, line: int, why: str) -> None:
        super().__init__(why)
        self.place = file, line, why


def check_audit(folder: Path) -> Checked:
    """Check every row.

    Raises:
        OSError: The log cannot be read.
    """
    if not folder.is_dir():
        return Checked(0, 0, "")
    with guarded(folder):  # no process writes meanwhile
        files = audit_files(folder)
        chain = _Chain()
        try:
            head = _head(folder, files)
            chain.seq, chain.hash = head.first_seq - 1, head.first_prev
            for path in files:
                if path.name >= f"audit-{head.first_seq:012d}.jsonl":  # else rotated away, but for a process that died
                    chain.follow(path, head)
            if chain.seq < head.seq:
                last = files[-1].name if files else head.file
                missing = f"rows {chain.seq + 1} to {head.seq} are gone: the tail was cut"
                raise _Broken(last, chain.line + 1, missing)
        except _Broken as broken:
            return Checked(chain.rows, len(files), chain.hash, *broken.place)
        return Checked(chain.rows, len(files), chain.hash)


def audit_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows that hold, oldest first; whether any is missing says :func:`check_audit`.

    Raises:
        OSError: The log cannot be read.
    """
    for path in audit_files(folder):
        with path.open("rb") as file:
            for line in file:
                try:
                    yield opened(line)
                except ValueError:
                    continue


def newest_rows(
    folder: Path, count: int, plugin: str | None = None, since: datetime | None = None
) -> list[dict[str, Any]]:
    """The newest rows of ``plugin`` and not older than ``since``, oldest of them first.

    Raises:
        OSError: The log cannot be read.
    """
    rows: deque[dict[str, Any]] = deque(maxlen=count)
    for row in audit_rows(folder):
        if plugin is not None and row.get("plugin") != plugin:
            continue
        if since is not None and datetime.fromisoformat(row["time"]) < since:
            continue
        rows.append(row)
    return list(rows)


class _Chain:
    """The state of a walk along the rows."""

    def __init__(self) -> None:
        self.seq = self.rows = self.line = 0
        self.hash: str = ""

    def follow(self, path: Path, head: Head) -> None:
        self.line = 0
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") and self.seq >= head.seq:
                    return  # a process died while it wrote this; the next one that writes drops it and says so
                self._step(path.name, number, line, head)
                self.line = number

    def _step(self, file: str, number: int, line: bytes, head: Head) -> None:
        try:
            row = opened(line)
        except ValueError as error:
            raise _Broken(file, number, str(error)) from None
        if row["seq"] != self.seq + 1 or row["prev"] != self.hash:
            why = f"row {row['seq']} does not follow row {self.seq}: rows were removed, added or re-ordered"
            raise _Broken(file, number, why)
        if row["seq"] == head.seq and row["hash"] != head.hash:
            raise _Broken(
                file, number, f"row {row['seq']} is not the one that {HEAD_NAME} knows: history was rewritten"
            )
        if row.get("event") == "head_lost":
            raise _Broken(
                file, number, f"{HEAD_NAME} was gone when this row was written: rows before it may be missing"
            )
        self.seq, self.hash, self.rows = row["seq"], row["hash"], self.rows + 1


def _head(folder: Path, files: list[Path]) -> Head:
    try:
        head = read_head(folder)
    except ValueError as error:
        raise _Broken(HEAD_NAME, 1, f"is damaged: {error}") from None
    if head is None and files:
        raise _Broken(HEAD_NAME, 1, "is gone: whether the tail of the log was cut cannot be known")
    return head or Head()

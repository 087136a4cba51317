"""Appends rows to the audit log: one chain for all processes of a user, under a lock, rotated by size.

One chain, because a file for each process could be removed whole without a trace. After a process that died while it
wrote, the next one takes over the rows that hold, and says how many bytes of a torn one it dropped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcp_server.telemetry.chain import (
    Head,
    audit_files,
    guarded,
    opened,
    read_head,
    sealed,
    write_head,
)

__all__ = ["AuditFile"]

Row = Mapping[str, Any]


class AuditFile:
    """The log in ``folder``.

    Args:
        folder: Made with mode 0700; files in it have mode 0600.
        max_bytes: A file that has reached this is followed by a new one.
        keep_files: Files kept; the oldest goes, and the head says where the chain begins now.
    """

    def __init__(self, folder: Path, max_bytes: int, keep_files: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._keep_files = keep_files
        self._file: tuple[str, int] | None = None  # name, descriptor

    def append(self, rows: Iterable[Row], now: str) -> None:
        """Write ``rows``; they are the kernel's when this returns, and on the disk after :meth:`sync`.

        Args:
            rows: In order.
            now: The time of rows about the log itself.

        Raises:
            OSError: They could not be written, or not all.
        """
        with guarded(self._folder):
            head, found = self._take_over(now)
            if head.size >= self._max_bytes or not head.file:
                head = self._rotate(head)
            lines: list[bytes] = []
            for row in (*found, *rows):
                line, digest = sealed(row, head.seq + 1, head.hash)
                lines.append(line)
                head = replace(head, seq=head.seq + 1, hash=digest)
            size = self._write(head.file, b"".join(lines))
            write_head(self._folder, replace(head, size=size))

    def sync(self) -> None:
        """Put what was written onto the disk."""
        if self._file is not None:
            os.fsync(self._file[1])

    def close(self) -> None:
        """Sync, and let go of the file."""
        if self._file is not None:
            self.sync()
            os.close(self._file[1])
            self._file = None

    def _take_over(self, now: str) -> tuple[Head, list[Row]]:
        """Where the chain stands, and rows about what was found wrong."""
        try:
            head = read_head(self._folder)
        except ValueError:
            head = None
        if head is None:
            files = audit_files(self._folder)
            return (_head_of(files), [{"event": "head_lost", "time": now}]) if files else (Head(), [])
        path = self._folder / head.file
        size = path.stat().st_size if head.file and path.exists() else 0
        if size <= head.size:
            return head, []
        return _adopt(path, head, now)

    def _rotate(self, head: Head) -> Head:
        files = audit_files(self._folder)
        gone = files[: max(len(files) - self._keep_files + 1, 0)]
        if gone:
            oldest = files[len(gone)]
            with oldest.open("rb") as file:
                try:
                    first = opened(file.readline())
                    head = replace(head, first_seq=first["seq"], first_prev=first["prev"])
                except ValueError:
                    gone = []  # evidence is not thrown away
        head = replace(head, file=f"audit-{head.seq + 1:012d}.jsonl", size=0)
        write_head(self._folder, head)  # before the first row: a process may die between the two
        for path in gone:
            path.unlink()
        return head

    def _write(self, name: str, data: bytes) -> int:
        if self._file is None or self._file[0] != name:
            self.close()
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = name, os.open(self._folder / name, flags, 0o600)
        descriptor = self._file[1]
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # somebody cut the row before; that must not spoil this one
        while data:
            data = data[os.write(descriptor, data) :]
        return os.fstat(descriptor).st_size


def _adopt(path: Path, head: Head, now: str) -> tuple[Head, list[Row]]:
    """Take over rows that were written without their head; cut a torn last one."""
    with path.open("r+b") as file:
        file.seek(head.size)
        for line in file:
            try:
                row = opened(line)
            except ValueError:
                row = {}
            if row.get("prev") == head.hash and line.endswith(b"\n"):
                head = replace(head, seq=row["seq"], hash=row["hash"], size=head.size + len(line))
                continue
            if line.endswith(b"\n"):  # a whole line that does not hold is no accident: it stays, for `audit verify`
                return head, []
            file.truncate(head.size)
            return head, [{"event": "recovered", "time": now, "dropped_bytes": len(line)}]
    return head, []


def _head_of(files: list[Path]) -> Head:
    """The best guess at a head that is gone: the last row that holds."""
    head = Head()
    for path in files:
        size = 0
        for line in path.read_bytes().splitlines(keepends=True):
            size += len(line)
            try:
                row = opened(line)
            except ValueError:
                continue
            if not head.file:
                head = replace(head, first_seq=row["seq"], first_prev=row["prev"])
            head = replace(head, seq=row["seq"], hash=row["hash"], file=path.name, size=size)
    return head

"""The audit log of a server: takes rows without waiting, and writes them from one thread of its own.

A row says who did what to what, and how it ended; of a request it holds the SHA-256, never the content. The queue is
bounded: when a disk does not keep up, rows are counted, and the log gets a ``gap`` row with their number.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp_server.telemetry.audit_file import AuditFile

__all__ = ["AuditLog"]

logger = logging.getLogger(__name__)

MAX_ROWS = 65_536
MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""Rows, and bytes of requests to be hashed, that may wait for the thread."""
SYNC_SECONDS = 1.0
"""What a power cut may lose at most; a process that is killed loses only what still waited for the thread."""
BATCH = 512


class AuditLog:
    """Closed with :meth:`close`, which writes what waits. Starts no thread before the first row.

    Args:
        folder: Where the log is; see :class:`AuditFile`.
        max_bytes: Size of a file.
        keep_files: Number of files.
    """

    def __init__(self, folder: Path, *, max_bytes: int, keep_files: int) -> None:
        self._file = AuditFile(folder, max_bytes, keep_files)
        self._rows: deque[tuple[float, Mapping[str, Any], bytes | None]] = deque()
        self._request_bytes = 0
        self._lost = 0  # and not told in the log yet
        self.lost = 0
        """Rows that are not in the log and will not be."""
        self._closing = False
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self.listeners: list[Callable[[Mapping[str, Any]], None]] = []
        """Told of each row, by whoever records it and before it is written."""

    def record(self, row: Mapping[str, Any], request: bytes | None = None) -> None:
        """Take ``row``; never waits for the disk.

        Args:
            row: JSON values; the log adds number, time and hashes.
            request: Its SHA-256 becomes ``request_sha256``.
        """
        for listener in self.listeners:
            listener(row)
        size = len(request or b"")
        with self._wake:
            if len(self._rows) >= MAX_ROWS or self._request_bytes + size > MAX_REQUEST_BYTES:
                self._lost += 1
                self.lost += 1
                return
            self._rows.append((time.time(), row, request))
            self._request_bytes += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self._thread.start()
            self._wake.notify()

    def close(self) -> None:
        """Write what waits, put it onto the disk, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        synced, dirty = time.monotonic(), False
        while True:
            rows, closing = self._next(SYNC_SECONDS if dirty else None)
            if rows:
                self._write(rows)
                dirty = True
            if dirty and (closing or time.monotonic() - synced >= SYNC_SECONDS):
                self._sync()
                synced, dirty = time.monotonic(), False
            if closing and not rows:
                self._end()
                return

    def _next(self, patience: float | None) -> tuple[list[dict[str, Any]], bool]:
        """The rows to write now, and whether this is the end."""
        with self._wake:
            if not self._rows and not self._lost and not self._closing:
                self._wake.wait(patience)
            taken = [self._rows.popleft() for _ in range(min(len(self._rows), BATCH))]
            self._request_bytes -= sum(len(request or b"") for _, _, request in taken)
            lost, self._lost = self._lost, 0
            closing = self._closing
        rows = [_row(*item) for item in taken]
        if lost:
            rows.append({"event": "gap", "time": _time(time.time()), "lost": lost})
        return rows, closing

    def _write(self, rows: list[dict[str, Any]]) -> None:
        try:
            self._file.append(rows, _time(time.time()))
        except OSError as error:
            logger.error("the audit log cannot be written: %s; %d rows are lost", error, len(rows))
            with self._wake:
                self.lost += sum(row["event"] != "gap" for row in rows)
                lost = sum(row["lost"] if row["event"] == "gap" else 1 for row in rows)
                if not self._closing:  # else nobody would be there to write that either
                    self._lost += lost
                    self._wake.wait(SYNC_SECONDS)  # a full disk is not asked a thousand times a second

    def _sync(self) -> None:
        try:
            self._file.sync()
        except OSError as error:
            logger.error("the audit log cannot be put onto the disk: %s", error)

    def _end(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            logger.error("the audit log cannot be closed: %s", error)


def _row(when: float, row: Mapping[str, Any], request: bytes | None) -> dict[str, Any]:
    hashed = {} if request is None else {"request_sha256": hashlib.sha256(request).hexdigest()}
    return {"time": _time(when), **row, **hashed}


def _time(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds")

"""What plugins log, kept in files for ``plugin logs``: one a plugin, of bounded size, with secrets replaced.

The same lines as on stderr, which a client may have thrown away. Several servers may write to one file.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from mcp_server.telemetry.logs import LineFormatter

__all__ = ["FOLDER", "LogTail", "PluginLogFiles", "last_lines"]

FOLDER = "logs"
"""Its name in the state folder."""
MAX_BYTES = 1024 * 1024
_OLD = ".1"


class PluginLogFiles(logging.Handler):
    """Writes what goes to the logger ``plugin`` into files of the folder, by plugin; never fails a call.

    Args:
        folder: Made when the first line comes.
        max_bytes: Of a file, which is then set aside in the place of the one before.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self._folder, self._max_bytes = folder, max_bytes
        self.setFormatter(LineFormatter("json"))

    def emit(self, record: logging.LogRecord) -> None:
        plugin, *_ = cast("tuple[Any, ...]", record.args) if isinstance(record.args, tuple) and record.args else ("",)
        try:
            self._write(_file(self._folder, str(plugin)), (self.format(record) + "\n").encode("utf-8", "replace"))
        except OSError:
            return  # a full disk: the line is on stderr, and the call goes on

    def _write(self, path: Path, line: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, line)
            full = os.fstat(handle).st_size >= self._max_bytes
        finally:
            os.close(handle)
        if full:
            path.replace(path.with_name(path.name + _OLD))


class LogTail:
    """What a plugin logged, and what it logs from now on, also past the moment when its file is set aside.

    Args:
        folder: Of the files.
        plugin: Its id.
    """

    def __init__(self, folder: Path, plugin: str) -> None:
        self._path = _file(folder, plugin)
        self._open: BinaryIO | None = None
        self._rest = b""
        with suppress(FileNotFoundError):
            self._rest = self._path.with_name(self._path.name + _OLD).read_bytes()

    def more(self) -> list[dict[str, Any]]:
        """What came since the last question; everything at the first one.

        Raises:
            OSError: It cannot be read.
        """
        data = self._read()
        while self._next():
            data += self._read()
        *whole, self._rest = (self._rest + data).split(b"\n")
        return _parsed(line.decode("utf-8", "replace") for line in whole)

    def close(self) -> None:
        """Let the file go."""
        if self._open is not None:
            self._open.close()

    def _read(self) -> bytes:
        return self._open.read() if self._open is not None else b""

    def _next(self) -> bool:
        """Open the file that is written to now, where that is another one."""
        try:
            fresh = self._path.open("rb")
        except FileNotFoundError:
            return False
        if self._open is not None and os.path.sameopenfile(fresh.fileno(), self._open.fileno()):
            fresh.close()
            return False
        self.close()
        self._open = fresh
        return True


def last_lines(folder: Path, plugin: str, count: int) -> list[dict[str, Any]]:
    """The newest ``count`` lines that ``plugin`` logged, the oldest of them first; ``{time, level, message, …}``.

    Raises:
        OSError: They cannot be read.
    """
    path = _file(folder, plugin)
    found: deque[dict[str, Any]] = deque(maxlen=count)
    for part in (path.with_name(path.name + _OLD), path):
        try:
            text = part.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
        found.extend(_parsed(text.splitlines()))
    return list(found)


def _parsed(lines: Iterable[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in lines:
        with suppress(ValueError):  # half a line, of a disk that was full
            found.append(json.loads(line))
    return found


def _file(folder: Path, plugin: str) -> Path:
    """Of a plugin's id no more than a file name is taken."""
    return folder / f"{Path(plugin).name.lstrip('.') or 'plugin'}.jsonl"

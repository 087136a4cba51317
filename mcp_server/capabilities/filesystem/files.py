"""What can be done to the files of one folder, through its descriptor: a name is opened only where it is a plain file.

Nothing here takes a path. A file that is read was opened without following a link and was looked at through the very
descriptor it is read from; a file that is written is a new one that takes the old one's name in one step.
"""

from __future__ import annotations

import errno
import heapq
import os
import secrets
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mcp_server.capabilities.base import HostRefusal
from mcp_server.policy.paths import TEMPORARY_PREFIX

__all__ = ["Part", "delete", "list_folder", "read_part", "write_whole"]

MOST_SCANNED = 100_000
# Non-blocking, so that a FIFO without a writer holds nobody up; a plain file does not know the flag.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file, and the size of the whole."""

    data: bytes
    size: int
    modified: str | None


def read_part(
    folder: int, name: str, offset: int, limit: int | None, take: Callable[[int], None], *, hard_links: bool
) -> Part:
    """Read from ``offset``, at most ``limit`` bytes; ``take`` is told how many before they are read."""
    _check_plain(os.stat(name, dir_fd=folder, follow_symlinks=False), one_name=not hard_links)
    with _opened(name, _READ, folder) as file:
        seen = os.fstat(file)  # the name may be another file's by now; this one is ours to judge
        _check_plain(seen, one_name=not hard_links)
        wanted = max(seen.st_size - offset, 0)
        wanted = wanted if limit is None else min(wanted, limit)
        take(wanted)
        data = bytearray()
        while len(data) < wanted:
            piece = os.pread(file, wanted - len(data), offset + len(data))
            if not piece:
                break
            data += piece
    return Part(bytes(data), seen.st_size, _time(seen.st_mtime))


def write_whole(folder: int, name: str, data: bytes, *, replace: bool) -> bool:
    """Write all of ``data`` or nothing; True when the file is new.

    The bytes are on the disk before the name points to them, so a crash leaves the old file or the new one.
    """
    old = _look(folder, name)
    if old is not None:
        if not replace:
            raise FileExistsError(errno.EEXIST, "exists")
        _check_plain(old, one_name=True)
    temporary = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}.tmp"
    try:
        with _opened(temporary, _NEW, folder) as file:
            _write_all(file, data)
            if old is not None:
                os.fchmod(file, stat.S_IMODE(old.st_mode) & 0o777)
            os.fsync(file)
        if replace:
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
    return old is None


def delete(folder: int, name: str) -> None:
    """Delete a plain file that has this one name."""
    _check_plain(os.stat(name, dir_fd=folder, follow_symlinks=False), one_name=True)
    os.unlink(name, dir_fd=folder)


def list_folder(folder: int, after: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The entries whose names come after ``after``, in the order of their names, and whether there are more."""
    with os.scandir(folder) as entries:
        names = heapq.nsmallest(limit + 1, _names(entries, after))
    return [entry for name in names[:limit] if (entry := _entry(folder, name))], len(names) > limit


def _names(entries: Any, after: str) -> Generator[str]:
    for number, entry in enumerate(entries, 1):
        if number > MOST_SCANNED:
            raise HostRefusal(
                "limit_file_scan",
                f"the folder has more than {MOST_SCANNED} entries and cannot be listed",
                {"limit": "file_scan", "allowed": MOST_SCANNED},
            )
        name: str = entry.name
        # A name that is no UTF-8 cannot be told in JSON, and could not be asked for.
        if name > after and not name.startswith(TEMPORARY_PREFIX) and name.isprintable():
            yield name


def _entry(folder: int, name: str) -> dict[str, Any] | None:
    seen = _look(folder, name)
    if seen is None:
        return None  # deleted meanwhile
    if stat.S_ISREG(seen.st_mode):
        return {"name": name, "type": "file", "size": seen.st_size, "modified": _time(seen.st_mtime)}
    kind = "directory" if stat.S_ISDIR(seen.st_mode) else "other"
    return {"name": name, "type": kind, "size": None, "modified": _time(seen.st_mtime)}


def _look(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _check_plain(seen: os.stat_result, *, one_name: bool) -> None:
    if stat.S_ISDIR(seen.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder")
    if not stat.S_ISREG(seen.st_mode):
        raise HostRefusal(
            "path_denied",
            "it is no plain file (a link, a device, a pipe or a socket)",
            {"capability": "FileSystemAccess", "bound": "kind"},
        )
    if one_name and seen.st_nlink != 1:
        raise HostRefusal(
            "path_denied",
            "the file has more than one name (hard links)",
            {"capability": "FileSystemAccess", "bound": "hard_link"},
        )


@contextmanager
def _opened(name: str, flags: int, folder: int) -> Generator[int]:
    file = os.open(name, flags, 0o666, dir_fd=folder)
    try:
        yield file
    finally:
        os.close(file)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _time(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None  # no year of ours

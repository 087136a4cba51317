"""Reads and replaces a client's configuration file; the old one is kept beside it.

A link, a file that may not be written and one that somebody else changed meanwhile are left alone.
"""

from __future__ import annotations

import codecs
import stat
from dataclasses import dataclass
from pathlib import Path

from mcp_server.clients.errors import ClientConfigError
from mcp_server.whole_file import replace_file

__all__ = ["BACKUP_SUFFIX", "ClientFile", "read_file", "write_file"]

BACKUP_SUFFIX = ".agentmem.bak"
MAX_BYTES = 64 * 1024 * 1024
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ClientFile:
    """A file as it was read.

    Attributes:
        path: Where it is.
        text: What it holds; empty when it is missing.
        bom: Whether it began with a byte order mark.
        mode: Its permissions.
        stamp: To see whether it is another one by now; None when it is missing.
    """

    path: Path
    text: str = ""
    bom: bool = False
    mode: int = 0o600
    stamp: _Stamp | None = None


def read_file(path: Path) -> ClientFile:
    """The file at ``path``, which may be missing.

    Raises:
        ClientConfigError: It is a link, no plain file, too long, no UTF-8, or cannot be read.
    """
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return ClientFile(path)
    except OSError as error:
        raise ClientConfigError(f"{path} cannot be read: {error.strerror}", fix=f"look at {path.parent}") from None
    if stat.S_ISLNK(facts.st_mode):
        raise ClientConfigError(
            f"{path} is a link to {path.readlink()}; a link is not followed, for it may lead to a file of another kind",
            fix=f"name the file that you mean: --file {path.resolve()}",
        )
    if not stat.S_ISREG(facts.st_mode):
        raise ClientConfigError(f"{path} is no plain file", fix=f"move {path} away")
    if facts.st_size > MAX_BYTES:
        raise ClientConfigError(
            f"{path} has {facts.st_size} bytes, expected at most {MAX_BYTES}", fix="name another file with --file"
        )
    try:
        data = path.read_bytes()
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except OSError as error:
        raise ClientConfigError(f"{path} cannot be read: {error.strerror}", fix=f"chmod u+r {path}") from None
    except UnicodeDecodeError as error:
        raise ClientConfigError(f"{path} is no UTF-8: byte {error.start}", fix="save the file as UTF-8") from None
    bom = data.startswith(codecs.BOM_UTF8)
    return ClientFile(path, text, bom, stat.S_IMODE(facts.st_mode), _stamp_of(path))


def write_file(old: ClientFile, text: str) -> Path | None:
    """Put ``text`` into the place of ``old``, as a whole; where the copy of the old one is, if there was one.

    Raises:
        ClientConfigError: It may not or cannot be written, or is another one by now; then nothing has changed.
    """
    if old.stamp is not None and not old.mode & stat.S_IWUSR:
        raise ClientConfigError(f"{old.path} is read-only", fix=f"chmod u+w {old.path}, or name another with --file")
    data = (codecs.BOM_UTF8 if old.bom else b"") + text.encode("utf-8")
    backup = old.path.with_name(old.path.name + BACKUP_SUFFIX) if old.stamp is not None else None
    try:
        old.path.parent.mkdir(parents=True, exist_ok=True)
        if backup is not None:
            replace_file(backup, old.path.read_bytes(), mode=old.mode, durable=True)
        if _stamp_of(old.path) != old.stamp:
            raise ClientConfigError(f"{old.path} was changed by another program just now", fix="run the command again")
        replace_file(old.path, data, mode=old.mode, durable=True)
    except OSError as error:
        raise ClientConfigError(
            f"{old.path} cannot be written: {error.strerror}", fix=f"look at the permissions of {old.path.parent}"
        ) from None
    return backup


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns

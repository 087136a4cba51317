"""A bundle that somebody sent: a folder copied, or a zip unpacked so that no archive bomb goes off.

It becomes files in a folder, nothing more; whether they are a plugin, the manifest's and the module's readers say.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, cast

from mcp_server.registry.bundle_names import MOST_ENTRIES, bundle_refused, check_folders, check_names, is_inside
from mcp_server.registry.discovery import MANIFEST_NAME

__all__ = ["MOST_BYTES", "files_below", "take_folder", "unpack", "write_part"]

MIB = 1024 * 1024
MOST_BYTES = 64 * MIB
"""Of all files of a bundle together, and so of any one."""
MOST_RATIO = 100
CHUNK = 64 * 1024
_END = struct.Struct("<4s4H2LH")
_LOCATOR = 20
_MOST_DIRECTORY = 32 * 1024
"""Bytes of a zip's directory: read whole before anything can be judged, so a long one is not read at all."""


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of the zip ``archive`` into ``folder``.

    Raises:
        BundleInvalid: It is no zip, or not one that is taken.
        OSError: It cannot be read, or a file cannot be written.
    """
    with archive.open("rb") as file:
        _check_end(file)
        try:
            with zipfile.ZipFile(file) as opened:
                _unpack(opened, folder)
        except (
            zipfile.BadZipFile,
            zlib.error,
            struct.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise bundle_refused(f"cannot be unpacked: {error}") from None


def files_below(folder: Path) -> list[str]:
    """The names of all files below ``folder``, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def take_folder(source: Path, folder: Path) -> None:
    """Copy the files of the bundle folder ``source`` into ``folder``; of folders in it, what its manifest names.

    Raises:
        BundleInvalid: It is not one that is taken.
        OSError: A file cannot be read or written.
    """
    with os.scandir(source) as entries:
        names = sorted(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    check_names(names)
    left = MOST_BYTES
    for name in names:
        left -= _copy(source, name, folder, left)
    named = sorted(_named_in(folder / MANIFEST_NAME))
    check_names([*names, *named])
    for name in named:
        with suppress(FileNotFoundError):  # then the manifest's reader says so, if it is a file that is meant
            left -= _copy(source, name, folder, left)


def write_part(path: Path, part: IO[bytes], most: int) -> int:
    """Write ``part`` to the new file ``path``; its bytes.

    Raises:
        BundleInvalid: There are more than ``most``.
        OSError: It cannot be written.
    """
    written = 0
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while chunk := part.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise bundle_refused(f"is larger unpacked than it says, or than {MOST_BYTES // MIB} MiB")
            file.write(chunk)
    return written


def _unpack(opened: zipfile.ZipFile, folder: Path) -> None:
    entries = [entry for entry in opened.infolist() if not entry.filename.endswith("/")]
    check_folders(entry.filename[:-1] for entry in opened.infolist() if entry.filename.endswith("/"))
    check_names(entry.filename for entry in entries)
    for entry in entries:
        _check_entry(entry)
    left = MOST_BYTES
    for entry in entries:
        with opened.open(entry) as part:
            left -= write_part(folder / entry.filename, part, min(left, entry.file_size))


def _copy(source: Path, name: str, folder: Path, most: int) -> int:
    """Copy one file, following no link on the way to it; its bytes."""
    with ExitStack() as stack:
        try:
            handle = _opened(source, name.split("/"), stack)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise bundle_refused(f"holds {name!r}, which is or lies behind a link") from None
            raise
        file = stack.enter_context(os.fdopen(handle, "rb"))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise bundle_refused(f"holds {name!r}, which is no plain file")
        return write_part(folder / name, file, most)


def _opened(source: Path, parts: Sequence[str], stack: ExitStack) -> int:
    place = os.open(source, os.O_RDONLY | os.O_DIRECTORY)
    stack.callback(os.close, place)
    for part in parts[:-1]:
        place = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
        stack.callback(os.close, place)
    return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)


def _named_in(manifest: Path) -> set[str]:
    """Every text of a manifest that could be a file in a folder beside it."""
    try:
        return {text for text in _texts(tomllib.loads(manifest.read_text(encoding="utf-8"))) if is_inside(text)}
    except (ValueError, RecursionError):
        return set()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        inner = cast("dict[str, object]", value).values() if isinstance(value, dict) else cast("list[object]", value)
        for each in inner:
            yield from _texts(each)


def _check_end(file: IO[bytes]) -> None:
    """Read the zip's last record, before a library reads a directory of any length that it names."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _END.size - _LOCATOR))
    tail = file.read()
    if len(tail) < _END.size or tail[-_END.size :][:4] != b"PK\x05\x06":
        raise bundle_refused("is no zip that ends with its directory, without a comment")
    _, disk, first, here, count, size, start, comment = _END.unpack(tail[-_END.size :])
    if disk or first or here != count or comment or tail[: -_END.size].startswith(b"PK\x06\x07"):
        raise bundle_refused("is a zip of several parts, or of the 64-bit kind")
    if not 0 < count <= MOST_ENTRIES or size > _MOST_DIRECTORY:
        raise bundle_refused(f"names {count} entries; a bundle has 1 to {MOST_ENTRIES}")
    if start + size + _END.size != length:
        raise bundle_refused("is a zip with something before, between or after its parts")
    file.seek(0)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise bundle_refused(f"holds {entry.filename!r}, which is no plain file")
    if entry.flag_bits & 0x1:
        raise bundle_refused(f"holds {entry.filename!r} encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise bundle_refused(f"holds {entry.filename!r} in a compression that is not taken; deflate is")
    if entry.file_size > MOST_BYTES:
        raise bundle_refused(f"holds {entry.filename!r} with {entry.file_size} bytes; at most {MOST_BYTES} are taken")
    if entry.file_size > MOST_RATIO * max(1, entry.compress_size):
        raise bundle_refused(f"holds {entry.filename!r} compressed more than {MOST_RATIO} times")

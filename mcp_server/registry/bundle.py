"""A bundle that somebody sent: which files it may have, and a zip unpacked so that no archive bomb goes off.

It becomes files in a folder, nothing more; whether they are a plugin, the manifest's and the module's readers say.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from mcp_server.registry.discovery import MANIFEST_NAME
from mcp_server.registry.errors import BundleInvalid

__all__ = ["MOST_BYTES", "check_names", "take_folder", "unpack", "write_part"]

MIB = 1024 * 1024
MOST_BYTES = 64 * MIB
"""Of all files of a bundle together, and so of any one."""
MOST_FILES = 64
MOST_RATIO = 100
CHUNK = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SUFFIXES = frozenset({".wasm", ".json", ".md", ".txt", ".sig", ".minisig"})
_PLAIN = frozenset({MANIFEST_NAME, "LICENSE", "NOTICE", "README"})
_END = struct.Struct("<4s4H2LH")
_LOCATOR = 20
_MOST_DIRECTORY = 16 * 1024
"""Bytes of a zip's directory: read whole before anything can be judged, so a long one is not read at all."""


def check_names(names: Iterable[str]) -> None:
    """Refuse a set of files that is no bundle.

    Raises:
        BundleInvalid: Names the first that is wrong, or what is missing.
    """
    seen: set[str] = set()
    for name in names:
        if not _NAME.fullmatch(name) or not (name in _PLAIN or Path(name).suffix in _SUFFIXES):
            raise _invalid(
                f"holds {name[:100]!r}; a bundle is flat and has {MANIFEST_NAME}, the module, and schemas or texts "
                f"({', '.join(sorted(_SUFFIXES))})"
            )
        if name.lower() in seen:
            raise _invalid(f"holds {name!r} twice")
        seen.add(name.lower())
        if len(seen) > MOST_FILES:
            raise _invalid(f"holds more than {MOST_FILES} files")
    if MANIFEST_NAME not in seen:
        raise _invalid(f"has no {MANIFEST_NAME}")


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
                entries = opened.infolist()
                check_names(entry.filename for entry in entries)
                for entry in entries:
                    _check_entry(entry)
                left = MOST_BYTES
                for entry in entries:
                    with opened.open(entry) as part:
                        left -= write_part(folder / entry.filename, part, min(left, entry.file_size))
        except (
            zipfile.BadZipFile,
            zlib.error,
            struct.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise _invalid(f"cannot be unpacked: {error}") from None


def take_folder(source: Path, folder: Path) -> None:
    """Copy the files of the bundle folder ``source`` into ``folder``; other folders in it are left out.

    Raises:
        BundleInvalid: It is not one that is taken.
        OSError: A file cannot be read or written.
    """
    with os.scandir(source) as entries:
        names = sorted(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    check_names(names)
    left = MOST_BYTES
    for name in names:
        handle = os.open(source / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as part:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise _invalid(f"holds {name!r}, which is no plain file")
            left -= write_part(folder / name, part, left)


def write_part(path: Path, part: IO[bytes], most: int) -> int:
    """Write ``part`` to the new file ``path``; its bytes.

    Raises:
        BundleInvalid: There are more than ``most``.
        OSError: It cannot be written.
    """
    written = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while chunk := part.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise _invalid(f"is larger unpacked than it says, or than {MOST_BYTES // MIB} MiB")
            file.write(chunk)
    return written


def _check_end(file: IO[bytes]) -> None:
    """Read the zip's last record, before a library reads a directory of any length that it names."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _END.size - _LOCATOR))
    tail = file.read()
    if len(tail) < _END.size or tail[-_END.size :][:4] != b"PK\x05\x06":
        raise _invalid("is no zip that ends with its directory, without a comment")
    _, disk, first, here, count, size, start, comment = _END.unpack(tail[-_END.size :])
    if disk or first or here != count or comment or tail[: -_END.size].startswith(b"PK\x06\x07"):
        raise _invalid("is a zip of several parts, or of the 64-bit kind")
    if not 0 < count <= MOST_FILES or size > _MOST_DIRECTORY:
        raise _invalid(f"names {count} files; a bundle has 1 to {MOST_FILES}")
    if start + size + _END.size != length:
        raise _invalid("is a zip with something before, between or after its parts")
    file.seek(0)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _invalid(f"holds {entry.filename!r}, which is no plain file")
    if entry.flag_bits & 0x1:
        raise _invalid(f"holds {entry.filename!r} encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _invalid(f"holds {entry.filename!r} in a compression that is not taken; deflate is")
    if entry.file_size > MOST_BYTES:
        raise _invalid(f"holds {entry.filename!r} with {entry.file_size} bytes; at most {MOST_BYTES} are taken")
    if entry.file_size > MOST_RATIO * max(1, entry.compress_size):
        raise _invalid(f"holds {entry.filename!r} compressed more than {MOST_RATIO} times")


def _invalid(what: str) -> BundleInvalid:
    return BundleInvalid(f"the bundle {what}", fix="zip plugin.toml and the module without a folder: zip -j")

"""The one zip of a set of files: the same files are the same bytes, on every machine and in every year.

Sorted names, one fixed time and mode, and nothing compressed: compressed bytes differ between versions of zlib, and
then a digest would say which machine made an archive, not what is in it. What is sent may be compressed on the way.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from mcp_server.registry.bundle import files_below

__all__ = ["archive_digest", "archive_of", "files_in"]

_TIME = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can name."""
_PLAIN_FILE = 0o100644 << 16
_UNIX = 3


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """The archive of ``files``, by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(entry, files[name], zipfile.ZIP_STORED)
    return out.getvalue()


def archive_digest(folder: Path) -> str:
    """The sha256 of the archive of the files in ``folder``.

    Raises:
        OSError: One cannot be read.
    """
    return hashlib.sha256(archive_of(files_in(folder))).hexdigest()


def files_in(folder: Path) -> dict[str, bytes]:
    """The files of a bundle folder, by name.

    Raises:
        OSError: One cannot be read.
    """
    return {name: (folder / name).read_bytes() for name in files_below(folder)}

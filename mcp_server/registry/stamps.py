"""Whether a plugin's files were touched, without reading them: a rescan of a hundred plugins reads what changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mcp_server.manifest.load import LoadedManifest

__all__ = ["Stamp", "files_of", "settled_stamp", "stamp"]

SETTLED_NS = 20_000_000
"""A file system's clock may be this coarse (4 ms on Linux): a younger file may change without its time changing."""

Stamp = tuple[tuple[int, int, int], ...]
"""Per file: modification time in nanoseconds, size, inode; an atomic rename changes the inode."""


def files_of(source: LoadedManifest) -> tuple[Path, ...]:
    """Every file a version was made of: manifest, module, schemas."""
    folder = source.path.parent
    manifest = source.manifest
    named = [name for tool in manifest.tools for name in (tool.input_schema, tool.output_schema)]
    schemas = [folder / name for name in (*named, manifest.config_schema) if isinstance(name, str)]
    return (source.path, source.wasm, *schemas)


def stamp(files: Iterable[Path]) -> Stamp | None:
    """The stamp of all ``files``; None when one is gone, which is a change as well."""
    try:
        facts = [path.stat() for path in files]
    except OSError:
        return None
    return tuple((fact.st_mtime_ns, fact.st_size, fact.st_ino) for fact in facts)


def settled_stamp(files: Iterable[Path], began: int) -> Stamp | None:
    """The stamp of ``files`` that were read after ``began`` (nanoseconds since the epoch), if it can be relied on.

    None when one of them was written so late that it may not be what was read; it is read again next time.
    """
    taken = stamp(files)
    if taken is None or any(modified > began - SETTLED_NS for modified, _, _ in taken):
        return None
    return taken

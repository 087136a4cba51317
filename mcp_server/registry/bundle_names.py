"""Which files a bundle may have: their names, their folders, their number. Looks at names alone, on no disk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from mcp_server.registry.discovery import MANIFEST_NAME
from mcp_server.registry.errors import BundleInvalid

__all__ = ["MOST_ENTRIES", "MOST_FILES", "MOST_FOLDERS", "bundle_refused", "check_folders", "check_names", "is_inside"]

MOST_FILES = 64
MOST_FOLDERS = 16
MOST_ENTRIES = MOST_FILES + MOST_FOLDERS
"""Of a zip, which may list folders too."""
MOST_DEPTH = 3
"""Folders that a file may lie in."""
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SUFFIXES = frozenset({".wasm", ".json", ".md", ".txt", ".sig"})
_PLAIN = frozenset({"LICENSE", "NOTICE", "README"})


def check_names(names: Iterable[str]) -> None:
    """Refuse a set of files that is no bundle.

    Args:
        names: Relative paths, with a ``/`` between their parts.

    Raises:
        BundleInvalid: Names the first that is wrong, or what is missing.
    """
    seen: set[str] = set()
    for name in names:
        if not _is_file_name(name):
            raise bundle_refused(
                f"holds {name[:100]!r}; a bundle has {MANIFEST_NAME}, the module, and schemas or texts "
                f"({', '.join(sorted(_SUFFIXES))}), in at most {MOST_DEPTH} folders"
            )
        if name.lower() in seen:
            raise bundle_refused(f"holds {name!r} twice")
        seen.add(name.lower())
        if len(seen) > MOST_FILES:
            raise bundle_refused(f"holds more than {MOST_FILES} files")
        check_folders([*_folders_of(name)])
    if MANIFEST_NAME not in seen:
        raise bundle_refused(f"has no {MANIFEST_NAME}")
    _check_tree(seen)


def check_folders(names: Iterable[str]) -> None:
    """Refuse folders that no file of a bundle may lie in.

    Raises:
        BundleInvalid: Names the first that is wrong.
    """
    for name in names:
        parts = name.split("/")
        if len(parts) > MOST_DEPTH or not all(_PART.fullmatch(part) for part in parts):
            raise bundle_refused(f"holds {name[:100]!r}, which is no folder that a bundle may have")


def is_inside(text: str) -> bool:
    """Whether ``text`` is the name of a file of a bundle that lies in a folder of it."""
    return "/" in text and _is_file_name(text)


def bundle_refused(what: str) -> BundleInvalid:
    """The error: the bundle ``what``."""
    return BundleInvalid(
        f"the bundle {what}",
        fix="zip it from inside its folder: zip -r my-plugin.zip plugin.toml my-plugin.wasm schemas",
    )


def _is_file_name(name: str) -> bool:
    *folders, last = name.split("/")
    if len(folders) > MOST_DEPTH or not all(_PART.fullmatch(part) for part in (*folders, last)):
        return False
    plain = last == MANIFEST_NAME if not folders else False
    return plain or last in _PLAIN or PurePosixPath(last).suffix in _SUFFIXES


def _folders_of(name: str) -> Iterable[str]:
    parts = name.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def _check_tree(files: set[str]) -> None:
    """Names in lower case: some disks do not tell them apart, and there a folder would be a file, or another folder."""
    folders = {folder for name in files for folder in _folders_of(name)}
    both = sorted(folders & files)
    if both:
        raise bundle_refused(f"holds {both[0]!r} as a file and as a folder")
    if len(folders) > MOST_FOLDERS:
        raise bundle_refused(f"holds more than {MOST_FOLDERS} folders")

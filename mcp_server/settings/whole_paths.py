"""Folders that a configuration names: absolute, since the working directory is another one for every client."""

from __future__ import annotations

from pathlib import Path

__all__ = ["whole_paths"]


def whole_paths(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """``folders`` as they are; for a validator of a section.

    Raises:
        ValueError: One is neither absolute nor below the user's home.
    """
    for folder in folders:
        if not (folder.is_absolute() or folder.parts[:1] == ("~",)):
            raise ValueError(f"'{folder}' must be absolute, or begin with ~/")
    return folders

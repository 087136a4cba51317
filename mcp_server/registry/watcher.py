"""Watches the plugin folders and says when a look at them is due. Decides nothing about what changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from watchfiles import Change, awatch  # pyright: ignore[reportUnknownVariableType]  # trio is not installed

from mcp_server.errors import SettingsError
from mcp_server.registry.discovery import PluginFolders

__all__ = ["watch_folders"]

logger = logging.getLogger(__name__)

DEBOUNCE_MS = 300
"""Events closer than this are one: editors and linkers write a file in several steps, or beside it and rename."""
STEP_MS = 50
LOOK_MS = 2_000
"""A look without an event: for what changed before the watch stood, and for file systems that report nothing."""
_SUFFIXES = frozenset({".toml", ".wasm", ".json"})


async def watch_folders(folders: PluginFolders, reload: Callable[[], object]) -> None:
    """Call ``reload`` after each burst of changes, until cancelled.

    A file that is half written when ``reload`` reads it is refused by its checks, the version before keeps serving,
    and the write that completes it is an event of its own.
    """
    roots = {*folders.roots, *(path if path.is_dir() else path.parent for path in folders.single)}
    if not roots:
        return
    changes = awatch(
        *roots,
        watch_filter=_concerns_plugins,
        debounce=DEBOUNCE_MS,
        step=STEP_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
    )
    async for _ in changes:
        try:
            reload()
        except SettingsError as error:  # a folder was taken away; what is loaded keeps serving
            logger.warning("reload: %s", error.message)


def _concerns_plugins(change: Change, path: str) -> bool:
    """Manifests, modules, schemas; and whatever came or went, for it may be a folder with such files in it."""
    return change is not Change.modified or Path(path).suffix in _SUFFIXES

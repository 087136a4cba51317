"""The processes below a server, as Linux shows them."""

from __future__ import annotations

import os
from pathlib import Path

import anyio

__all__ = ["children", "descendants", "gone"]


def children(pid: int) -> list[int]:
    """Processes whose parent is ``pid``."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it ended meanwhile
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def descendants(pid: int) -> list[int]:
    """Children of ``pid``, and theirs."""
    found = children(pid)
    for child in list(found):
        found += descendants(child)
    return found


async def gone(pids: list[int]) -> None:
    """Return when none of ``pids`` runs any more."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            await anyio.wait_readable(handle)
        finally:
            os.close(handle)

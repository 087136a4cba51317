"""The figures of running servers as files, so that a command in another terminal can show them.

One small JSON file per server process, replaced as a whole; the newest ones of ended servers are kept.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from mcp_server.whole_file import replace_file

__all__ = ["SnapshotFile", "peak_memory", "read_snapshots", "resident_memory"]

KEPT = 8


class SnapshotFile:
    """This process's file in ``folder``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}.json"
        self._started = time.time()
        for old in [one for one in read_snapshots(folder) if one["ended"]][KEPT:]:
            (folder / f"{old['pid']}.json").unlink(missing_ok=True)

    def write(self, figures: dict[str, Any], *, ended: bool = False) -> None:
        """Replace the file."""
        document = {"pid": os.getpid(), "started": self._started, "written": time.time(), "ended": ended, **figures}
        replace_file(self._path, json.dumps(document).encode("utf-8"))


def read_snapshots(folder: Path) -> list[dict[str, Any]]:
    """Every readable snapshot, the last written first; ``ended`` also when the process is gone without a word."""
    found: list[dict[str, Any]] = []
    for path in folder.glob("*.json"):
        try:
            document: dict[str, Any] = json.loads(path.read_bytes())
            document["ended"] = document["ended"] or not _alive(document["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half a file of a server that is being killed
        found.append(document)
    return sorted(found, key=lambda document: document["written"], reverse=True)


def peak_memory(pid: int) -> int:
    """The largest resident size a process had, in bytes; 0 where the system does not tell or it is gone."""
    return _status(pid, "VmHWM:")


def resident_memory(pid: int) -> int:
    """The resident size of a process now, in bytes; 0 as above."""
    return _status(pid, "VmRSS:")


def _status(pid: int, key: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith(key)), "")
    return int(line.split()[1]) * 1024 if line else 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

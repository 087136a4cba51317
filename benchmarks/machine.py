"""What Linux tells about a process: its processor time, memory, descriptors and threads."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["children", "cpu_seconds", "descriptors", "memory_kib", "threads"]

_TICK = os.sysconf("SC_CLK_TCK")
_UTIME, _PPID = 11, 1  # fields of /proc/<pid>/stat after the command name (proc(5))


def cpu_seconds(*processes: int) -> float:
    """Processor time of ``processes`` so far, of all their living threads."""
    return sum(_scheduled(pid) for pid in processes)


def _scheduled(pid: int) -> float:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9
    except OSError:  # no such accounting, or a thread ended meanwhile: ticks of 10 ms, which forget no thread
        fields = _stat(pid)
        return (int(fields[_UTIME]) + int(fields[_UTIME + 1])) / _TICK


def children(pid: int) -> list[int]:
    """The processes that descend from ``pid``."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[_PPID])
            except (OSError, IndexError):  # it ended meanwhile
                continue
    found: list[int] = []
    frontier = [pid]
    while frontier:
        parent = frontier.pop()
        mine = [child for child, its in parents.items() if its == parent]
        found += mine
        frontier += mine
    return found


def memory_kib(pid: int) -> dict[str, int]:
    """``Rss`` and ``Private`` in KiB.

    Workers hide their maps from everybody but root; for others ``Private`` is all anonymous memory, which is more: it
    counts what a worker still shares with the process that it was forked from.
    """
    try:
        fields = _fields(Path(f"/proc/{pid}/smaps_rollup"))
    except PermissionError:
        fields = _fields(Path(f"/proc/{pid}/status"))
        return {"Rss": fields["VmRSS"], "Private": fields["RssAnon"]}
    return {"Rss": fields["Rss"], "Private": fields["Private_Clean"] + fields["Private_Dirty"]}


def _fields(path: Path) -> dict[str, int]:
    """The lines ``Name:  123 kB`` of a file in ``/proc``."""
    words = (line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in words if len(line) == 3 and line[2] == "kB"}


def descriptors(pid: int) -> int:
    """Open files; 0 when the process hides them."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  # a count, not paths
    except PermissionError:
        return 0


def threads(pid: int) -> int:
    """Threads that run."""
    return int(_stat(pid)[17])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()

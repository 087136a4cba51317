"""Plugins that several tests of the runtime use, and small questions to the operating system."""

from __future__ import annotations

import os
from pathlib import Path

from mcp_server.host import PluginHost
from mcp_server.settings import Settings
from tests.guests import ECHO, module, write_plugin

__all__ = ["LOOP", "MIXED", "children_of", "host_on", "is_alive", "open_files"]

# A growth by nothing is much time for one unit of fuel: only a clock or a cancel ends it.
LOOP = """
  (func (export "loop") (result i32)
    (loop $again (drop (memory.grow (i32.const 0))) (br $again)) (i32.const 0))
"""
TRAP = '(func (export "trap") (result i32) unreachable)'
# Two of three bytes of a forged block length: a host function that reads the block is a SIGSEGV of the worker.
MIXED = module(f"{ECHO} {LOOP} {TRAP}")


def host_on(folder: Path, cache: Path, **runtime: float) -> PluginHost:
    """A host for the plugins in ``folder``."""
    return PluginHost(Settings.model_validate({"runtime": runtime}), cache=cache / "cache").load_plugins_from_dir(
        folder
    )


def mixed(folder: Path, name: str = "mixed", more: str = "") -> None:
    """A plugin that echoes, loops and traps."""
    write_plugin(folder, name, MIXED, more)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def children_of(pid: int) -> list[int]:
    """The living processes whose parent is ``pid``."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def open_files() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208  # without the one that lists

"""The record of a running server: one small file a process, under a lock that ends with the process.

A process id alone proves nothing, for ids come again. Who can take the lock of a record knows that its server is gone,
however it ended, and removes it. No token stands in a record.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mcp_server.running import presence
from mcp_server.running.presence import FOLDER

__all__ = ["FOLDER", "RunningServer", "announced", "running_servers"]

MAX_BYTES = 65_536


class RunningServer(BaseModel):
    """A server that runs now.

    Attributes:
        pid: Of the process that a signal goes to.
        version: Of this package, there.
        started: Seconds since 1970.
        url: Where it serves HTTP, without a path; empty when it serves pipes alone.
        local_token: Whether it takes the local token, with which it can be managed.
        locked: Whether it was started with ``--locked``.
        folders: Where its plugins lie.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    pid: int
    version: str
    started: float
    url: str = ""
    local_token: bool = False
    locked: bool = False
    folders: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """How a person knows it."""
        return f"server {self.pid} at {self.url}" if self.url else f"server {self.pid} on pipes"


@contextmanager
def announced(
    state: Path,
    version: str,
    *,
    url: str = "",
    local_token: bool = False,
    locked: bool = False,
    folders: tuple[str, ...] = (),
) -> Generator[None]:
    """Let others find this process, as long as the block lasts; where the disk refuses, nobody finds it."""
    says = {"version": version, "url": url, "local_token": local_token, "locked": locked, "folders": folders}
    with presence.announced(str(state), says):
        yield


def running_servers(state: Path) -> list[RunningServer]:
    """Every server that runs, the one that started last first; records of servers that are gone are removed."""
    found = [server for path in (state / FOLDER).glob("*.json") if (server := _read(path)) is not None]
    return sorted(found, key=lambda server: server.started, reverse=True)


def _read(path: Path) -> RunningServer | None:
    """The server of the record; None when it is gone, or the record is not one that this user wrote."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        facts = os.fstat(handle)
        if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
            return None
        if _alone(handle):
            if path.stat().st_ino == facts.st_ino:  # not that of a server which has the id by now
                path.unlink()
            return None
        return RunningServer.model_validate_json(os.read(handle, MAX_BYTES))
    except (OSError, ValidationError):
        return None
    finally:
        os.close(handle)


def _alone(handle: int) -> bool:
    """Whether nobody holds the lock."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Which running server a command speaks to, and what is said to those that cannot be spoken to."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass

from mcp_server.running.management import Management
from mcp_server.running.record import RunningServer, running_servers
from mcp_server.settings.folders import user_folders

__all__ = ["Running", "look_again", "running"]


@dataclass(frozen=True, slots=True)
class Running:
    """The servers of this user.

    Attributes:
        managed: The one to ask: the newest that takes the local token; None when there is none.
        others: All the rest.
    """

    managed: RunningServer | None
    others: tuple[RunningServer, ...]

    def api(self) -> Management | None:
        """What asks the managed one.

        Raises:
            TokenProblem: The local token cannot be read.
        """
        if self.managed is None:
            return None
        from mcp_server.transport.http.local_token import local_token

        return Management(self.managed.url, local_token(user_folders().state))


def running() -> Running:
    """Look for servers."""
    servers = running_servers(user_folders().state)
    managed = next((server for server in servers if server.url and server.local_token), None)
    return Running(managed, tuple(server for server in servers if server is not managed))


def look_again(servers: tuple[RunningServer, ...]) -> list[int]:
    """Ask ``servers`` to look at configuration and plugins again; the ids of those that were there to hear it."""
    told: list[int] = []
    for server in servers:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(server.pid, signal.SIGHUP)
            told.append(server.pid)
    return told

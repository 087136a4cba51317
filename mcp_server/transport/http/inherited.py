"""What a server process gets from the parent that started it: the listening socket, what all share, and a line to it.

The line is a socket pair: the process says on it that it serves, and its end says that the parent is gone.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

import anyio

from mcp_server.errors import SettingsError
from mcp_server.transport.http.common import Common

__all__ = ["Inherited"]

READY = b"1"


@dataclass(frozen=True, slots=True)
class Inherited:
    """As the descriptors of ``--inherited``.

    Attributes:
        listening: Shared with the other processes.
        common: As well.
        line: To the parent.
    """

    listening: socket.socket
    common: Common
    line: socket.socket

    @classmethod
    def adopt(cls, words: str) -> Inherited:
        """From the numbers of the three descriptors, parted by commas.

        Raises:
            SettingsError: They are not what a parent hands down.
        """
        try:
            descriptors = [int(word) for word in words.split(",")]
            listening, common, line = descriptors
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)
            return cls(socket.socket(fileno=listening), Common(common), socket.socket(fileno=line))
        except (ValueError, OSError):
            raise SettingsError("--inherited: no parent started this process", fix="use --processes instead") from None

    def say_ready(self) -> None:
        """Tell the parent that requests are answered."""
        self.line.send(READY)

    async def wait_orphaned(self) -> None:
        """Return when the parent is gone."""
        self.line.setblocking(False)
        await anyio.wait_readable(self.line)

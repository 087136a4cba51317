"""Puts the parts together for one run of the server; the only module that knows everyone."""

from __future__ import annotations

import os
from pathlib import Path

from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import Settings
from mcp_server.telemetry.logs import set_up_logging
from mcp_server.telemetry.stderr import DrainedStderr
from mcp_server.transport.mcp_face import McpFace
from mcp_server.transport.stdio import serve_stdio

__all__ = ["run_stdio"]


async def run_stdio(settings: Settings, folders: PluginFolders, cache: Path) -> None:
    """Serve one MCP client on this process's stdin and stdout until its input ends.

    Raises:
        SettingsError: A configured folder is missing or unreadable.
    """
    # Private copies above the standard range; afterwards 0 reads nothing and 1 is stderr, so that whatever a
    # plugin, a library or C code prints or reads cannot touch the protocol.
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    with DrainedStderr(stdout_too=True):
        set_up_logging(settings.log.level, settings.log.format)
        async with PluginHost(settings, folders, cache=cache) as host:
            await serve_stdio(McpFace(host), source, sink, drain_seconds=settings.runtime.drain_seconds)

"""A host over the test's own plugin folder."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from tests.guests import ECHO, module

WELL = module(ECHO)


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncGenerator[PluginHost]:
    """Entered on an empty folder; a test fills it and calls ``reload``."""
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache / "cache") as host:
        yield host

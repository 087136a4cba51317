"""Real tools without a server: the catalogue of a host that was entered and left again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import MemorySettings, Settings
from mcp_server.tools.catalog import Catalog, Tool
from tests.guests import ECHO, module, write_plugin

MakeTool = Callable[..., Tool]


@pytest.fixture(scope="session")
def make_tool(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> MakeTool:
    """Make the tool ``p__echo`` from the lines of its ``[[tools]]`` entry and of the rest of its manifest."""

    def make(entry: str = "", rest: str = "", settings: Settings | None = None) -> Tool:
        folder = tmp_path_factory.mktemp("tool")
        write_plugin(folder, "p", module(ECHO), f'{rest}\n[[tools]]\nfunction = "echo"\n{entry}\n')
        return catalog_of(folder, cache, settings).tools["p__echo"]

    return make


def catalog_of(folder: Path, cache: Path, settings: Settings | None = None) -> Catalog:
    """The catalogue that a host over ``folder`` shows, without the host's own tools."""
    settings = settings or Settings(memory=MemorySettings(tools=False))

    async def look() -> Catalog:
        async with PluginHost(settings, PluginFolders(plugins=(folder,)), cache=cache / "cache") as host:
            for record in host.list_plugins():
                if record.error is not None:
                    raise record.error
            return host.catalog

    return anyio.run(look)

"""A server that several tests of one module share: its start costs more than all of its calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from tests.stdio_server import StdioServer, stdio_server

Fill = Callable[[Path], None]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """As everywhere, but wide enough for a server that lives as long as a module's tests."""
    return "asyncio"


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the test module's ``fill`` has put its plugins into."""
    folder = tmp_path_factory.mktemp("stage")
    module = cast("ModuleType", request.module)  # pyright: ignore[reportUnknownMemberType]
    fill: Fill = vars(module)["fill"]
    fill(folder)
    return folder


@pytest.fixture(scope="module")
async def zoo(stage: Path, cache: Path) -> AsyncIterator[StdioServer]:
    """The real server on the module's plugins."""
    async with stdio_server(stage, home=cache, environment={"AGENTMEM_LOG__LEVEL": "error"}) as server:
        yield server


@pytest.fixture(scope="module")
async def house(stage: Path, cache: Path) -> AsyncIterator[PluginHost]:
    """The module's plugins in this process, without a server before them."""
    async with PluginHost(folders=PluginFolders(plugins=(stage,)), cache=cache / "cache") as host:
        yield host


@pytest.fixture(scope="module")
async def old_zoo(stage: Path, cache: Path) -> AsyncIterator[StdioServer]:
    """Another server on the module's plugins, spoken to as clients before 2026-07-28 do."""
    async with stdio_server(stage, home=cache, environment={"AGENTMEM_LOG__LEVEL": "error"}) as server:
        await server.initialize()
        yield server

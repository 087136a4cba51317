"""Fixtures every test may use."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, settings
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.transport.mcp_face import McpFace
from tests.http_server import http_server
from tests.stdio_server import StdioServer, stdio_server

# No test of this suite judges time, which on a busy machine is the machine's: not in an example's 200 ms either.
settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

pytest_plugins = ["mcp_server.testing", "tests.canary"]

Connect = Callable[..., AbstractAsyncContextManager[Client]]
Serve = Callable[..., AbstractAsyncContextManager[StdioServer]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--screenshots FOLDER``: the tests in a browser write the pictures of docs/page.md there."""
    parser.addoption("--screenshots", type=Path, default=None, help="write the pictures of docs/page.md into a folder")


def plugin_tools(host: PluginHost) -> list[str]:
    """The names of the tools that plugins show; the host's own are not among them."""
    return [name for name, tool in host.catalog.tools.items() if tool.version is not None]


@pytest.fixture
def anyio_backend() -> str:
    """asyncio: the worker channel is built on its event loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of compiled code for the whole run, so that a module is compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """An empty folder for plugins."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


@pytest.fixture
def serve(cache: Path, plugins: Path) -> Serve:
    """Start the real server on ``plugins``, spoken to in raw JSON lines."""

    def start(*folders: Path, **options: object) -> AbstractAsyncContextManager[StdioServer]:
        return stdio_server(*(folders or (plugins,)), home=cache, **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    return start


@pytest.fixture(params=["memory", "stdio", "http", "sse"])
def connect(request: pytest.FixtureRequest, cache: Path, plugins: Path) -> Connect:
    """The SDK's client on the real server: in this process, as a child on pipes, and over HTTP. One body, every way."""

    @asynccontextmanager
    async def in_memory(mode: Literal["legacy", "auto"] = "auto") -> AsyncGenerator[Client]:
        async with (
            PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache / "cache") as host,
            Client(McpFace(host).server, mode=mode) as client,
        ):
            yield client

    @asynccontextmanager
    async def over_stdio(mode: Literal["legacy", "auto"] = "auto") -> AsyncGenerator[Client]:
        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-m", "mcp_server", "serve", "--plugins", str(plugins)],
            env={"AGENTMEM_HOME": str(cache), "AGENTMEM_LOG__LEVEL": "error"},
        )
        async with Client(stdio_client(parameters), mode=mode) as client:
            yield client

    @asynccontextmanager
    async def over_http(mode: Literal["legacy", "auto"] = "auto") -> AsyncGenerator[Client]:
        async with http_server(plugins, home=cache) as server, server.connected(request.param, mode) as client:
            yield client

    return {"memory": in_memory, "stdio": over_stdio}.get(request.param, over_http)

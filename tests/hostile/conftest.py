"""One server for all hostile calls of a module: what one of them leaves broken, the next test finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from tests.guests import ECHO, module, write_plugin
from tests.hostile.den import Den, den_of
from tests.stdio_server import stdio_server


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """As everywhere, but as wide as the server."""
    return "asyncio"


@pytest.fixture(scope="module")
def lair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin folder with a healthy plugin in it, and the operator's file; a test module adds its own to both."""
    folder = tmp_path_factory.mktemp("lair")
    write_plugin(folder, "neighbour", module(ECHO))
    (folder / "config.toml").touch()
    return folder


@pytest.fixture(scope="module")
async def shared_den(lair: Path, cache: Path) -> AsyncIterator[Den]:
    """The server on the lair."""
    config = ["--config", str(lair / "config.toml")]
    quiet = {"AGENTMEM_LOG__LEVEL": "error"}
    async with (
        stdio_server(lair, home=cache, arguments=config, environment=quiet) as server,
        den_of(server) as den,
    ):
        with anyio.fail_after(30):
            await den.see_neighbour()
        yield den


@pytest.fixture
async def den(shared_den: Den) -> AsyncIterator[Den]:
    """The den; when the test is over, the neighbour must have lost nothing and still be answered."""
    yield shared_den
    with anyio.fail_after(30):
        await shared_den.see_neighbour()

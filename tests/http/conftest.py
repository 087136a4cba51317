"""The shared stage of :mod:`tests.flows.conftest`, and a server over HTTP on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.commands import answer
from tests.flows.conftest import anyio_backend, stage
from tests.http_server import HttpServer, http_server

__all__ = ["anyio_backend", "make_token", "stage", "web"]


@pytest.fixture(scope="module")
async def web(stage: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    """The real server on the module's plugins, on loopback with a token; its home is its own."""
    home = tmp_path_factory.mktemp("home")
    async with http_server(stage, home=home) as server:
        yield server


def make_token(home: Path, name: str, *scopes: str, **options: str) -> str:
    """A static token from the command line."""
    words = [word for scope in scopes for word in ("--scope", scope)]
    words += [word for key, value in options.items() for word in (f"--{key}", value)]
    return answer(home, "token", "create", name, *words)["token"]

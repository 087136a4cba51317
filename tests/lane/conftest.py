"""Two servers on the same plugins: one with the lane, one that answers everything through the SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.conftest import anyio_backend, stage
from tests.http_server import HttpServer, http_server

__all__ = ["Pair", "anyio_backend", "pair", "stage"]


@dataclass(frozen=True)
class Pair:
    """The two of them."""

    lane: HttpServer
    sdk: HttpServer


@pytest.fixture(scope="module")
async def pair(stage: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Both, each with a home of its own."""
    off = {"AGENTMEM_RUNTIME__FAST_LANE": "false"}
    homes = tmp_path_factory.mktemp("with"), tmp_path_factory.mktemp("without")
    async with (
        http_server(stage, home=homes[0]) as lane,
        http_server(stage, home=homes[1], environment=off) as sdk,
    ):
        yield Pair(lane, sdk)

"""An engine over an embedded store, with a clock that stands."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from mcp_server.backends.sqlite import SqliteStore
from mcp_server.memory.engine import MemoryEngine
from tests.backends.conftest import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Generator[MemoryEngine]:
    store = SqliteStore(tmp_path / "store.db", clock=clock)
    yield MemoryEngine(store, clock=clock)
    assert store.problems() == []
    store.close()

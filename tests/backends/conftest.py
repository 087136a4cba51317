"""Stores that every contract test runs on, with a clock that stands until a test moves it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcp_server.backends.base import Store
from mcp_server.backends.sqlite import SqliteStore

SECOND = 1_000_000
MORNING = 1_795_420_800 * SECOND
PLENTY = 1 << 40


@dataclass
class Clock:
    """Microseconds since 1970, moved by hand."""

    now: int = MORNING

    def __call__(self) -> int:
        return self.now

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.now += int(seconds * SECOND)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Generator[Store]:
    """An empty store of each kind; consistent when the test is over."""
    opened = SqliteStore(tmp_path / "store.db", clock=clock)
    yield opened
    assert opened.problems() == []
    opened.close()

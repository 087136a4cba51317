"""A home of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home; commands run in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """An empty folder for packages."""
    folder = tmp_path / "stock"
    folder.mkdir()
    return folder

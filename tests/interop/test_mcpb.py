"""The official tool for bundles reads what ``mcpb`` writes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.commands import answer
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement

pytestmark = pytest.mark.interop

HERE = Path(__file__).resolve().parent


def official(*words: str | Path) -> str:
    """What the tool says; it must not fail."""
    command = ["node", HERE / "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js", *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@requirement("interop:mcpb")
def test_a_bundle_is_unpacked_validated_and_packed_again_by_the_official_tool(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    answer(tmp_path, "mcpb", "--plugins", plugins, "-o", "out.mcpb")
    official("unpack", tmp_path / "out.mcpb", tmp_path / "unpacked")
    assert "passes" in official("validate", tmp_path / "unpacked" / "manifest.json")
    assert (tmp_path / "unpacked/plugins/echo/echo.wasm").read_bytes() == module(ECHO)
    official("pack", tmp_path / "unpacked", tmp_path / "again.mcpb")
    assert "out.mcpb" in official("info", tmp_path / "out.mcpb")

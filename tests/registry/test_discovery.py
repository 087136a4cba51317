"""Where plugins are looked for, and what a folder that cannot be read is told."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mcp_server.errors import SettingsError
from mcp_server.registry.discovery import Found, PluginFolders, discover, lone_modules

# As root no folder is unreadable, so the look is taken by a process that stops being root first.
LOOK = """
import os, sys
from pathlib import Path
from mcp_server.registry.discovery import PluginFolders, discover
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    discover(PluginFolders(plugins=(Path(sys.argv[1]),)))
except Exception as error:
    print(type(error).__name__, error, getattr(error, "fix", ""), sep="|")
"""


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_manifests_are_found_in_a_folder_and_one_level_below_each_once_and_in_order(tmp_path: Path) -> None:
    deep = put(tmp_path / "p" / "x" / "y" / "plugin.toml")
    top, b, a = (put(tmp_path / "p" / name) for name in ("plugin.toml", "b/plugin.toml", "a/plugin.toml"))
    other = put(tmp_path / "m" / "c" / "plugin.toml")
    (tmp_path / "p" / "linked").symlink_to(tmp_path / "p" / "a")
    folders = PluginFolders(manifests=(tmp_path / "m",), plugins=(tmp_path / "p", tmp_path / "p"), single=(a.parent,))
    found = [item.path for item in discover(folders)]
    assert found == [other, top, a, b]
    assert deep not in found


def test_a_plugin_may_be_named_by_its_folder_its_manifest_or_its_module(tmp_path: Path) -> None:
    manifest, wasm = put(tmp_path / "a" / "plugin.toml"), put(tmp_path / "b.wasm")
    assert discover(PluginFolders(single=(tmp_path / "a", wasm))) == [
        Found(manifest, "manifest"),
        Found(wasm, "module"),
    ]
    assert discover(PluginFolders(single=(manifest,)))[0].guessed_id == "a"
    with pytest.raises(SettingsError, match="there is no plugin at"):
        discover(PluginFolders(single=(tmp_path / "gone",)))


def test_a_module_counts_as_lone_unless_it_is_claimed_or_lies_beside_a_manifest(tmp_path: Path) -> None:
    top, inner = put(tmp_path / "top.wasm"), put(tmp_path / "inner" / "inner.wasm")
    claimed = put(tmp_path / "claimed.wasm")
    put(tmp_path / "bundle" / "plugin.toml")
    put(tmp_path / "bundle" / "extra.wasm")
    put(tmp_path / "a" / "b" / "deep.wasm")
    (tmp_path / "again.wasm").symlink_to(claimed)
    found = lone_modules(PluginFolders(plugins=(tmp_path,)), [claimed])
    assert [(item.path, item.guessed_id) for item in found] == [(top, "top"), (inner, "inner")]


@pytest.mark.parametrize("name", ["gone", "x" * 300, "nul\0name"])
def test_a_folder_that_cannot_be_is_a_settings_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="the plugin folder"):
        discover(PluginFolders(manifests=(tmp_path / name,)))


@pytest.mark.parametrize("below", ["", "inner"])
def test_a_folder_that_may_not_be_read_or_entered_is_told_with_what_to_do(below: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users already
        Path(folder).chmod(0o755)
        closed = Path(folder) / "closed"
        (closed / "inner").mkdir(parents=True)
        closed.chmod(0)
        root = Path(__file__).resolve().parent.parent.parent
        done = subprocess.run(
            [sys.executable, "-c", LOOK, str(closed / below)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(root), "PATH": os.defpath},
            check=True,
        )
        closed.chmod(0o700)
    kind, message, fix = done.stdout.strip().split("|")
    assert (kind, message) == ("SettingsError", f"the plugin folder {closed / below} cannot be read: Permission denied")
    assert fix == f"chmod u+rx {closed / below}"

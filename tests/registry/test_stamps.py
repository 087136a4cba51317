"""A rescan reads only what was touched."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mcp_server.host import PluginHost
from mcp_server.registry.discovery import PluginFolders
from mcp_server.registry.stamps import settled_stamp, stamp
from tests.guests import ECHO, answers, module, write_plugin

HOUR = 3_600 * 10**9


def _age(home: Path) -> None:
    """Make files look an hour old: what was just written is not trusted to be what was read."""
    for path in home.iterdir():
        old = path.stat().st_mtime_ns - HOUR
        os.utime(path, ns=(old, old))


async def test_an_untouched_plugin_keeps_its_very_version_over_a_reload(plugins: Path, cache: Path) -> None:
    _age(write_plugin(plugins, "echo", module(ECHO)))
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache) as host:
        version, runner = host.registry.get("echo").version, host.registry.get("echo").runner
        assert host.reload() == set()
        assert host.registry.get("echo").version is version
        assert host.registry.get("echo").runner is runner


async def test_a_touched_plugin_with_the_same_content_is_read_and_kept(plugins: Path, cache: Path) -> None:
    home = write_plugin(plugins, "echo", module(ECHO))
    _age(home)
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache) as host:
        runner = host.registry.get("echo").runner
        os.utime(home / "plugin.toml")
        assert host.reload() == set()
        assert host.registry.get("echo").runner is runner


async def test_a_module_replaced_by_rename_is_taken_even_with_the_old_time_and_size(
    plugins: Path, cache: Path, tmp_path: Path
) -> None:
    home = write_plugin(plugins, "say", answers("one"))
    _age(home)
    async with PluginHost(folders=PluginFolders(plugins=(plugins,)), cache=cache) as host:
        before = (home / "say.wasm").stat()
        fresh = tmp_path / "fresh.wasm"
        fresh.write_bytes(answers("two"))
        os.utime(fresh, ns=(before.st_mtime_ns, before.st_mtime_ns))
        fresh.rename(home / "say.wasm")
        assert host.reload() == {"say"}
        assert await host.call("say", "run") == "two"


def test_a_file_written_just_now_has_no_stamp_that_can_be_relied_on(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x", encoding="utf-8")
    assert settled_stamp([path], time.time_ns()) is None
    assert settled_stamp([path], time.time_ns() + HOUR) == stamp([path])


def test_a_missing_file_has_no_stamp(tmp_path: Path) -> None:
    assert stamp([tmp_path / "none"]) is None

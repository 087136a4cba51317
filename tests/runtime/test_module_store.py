"""Modules and compiled code on disk: private, bounded, and never trusted when they are read again."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import anyio
import pytest

from mcp_server.errors import IntegrityError
from mcp_server.host import PluginHost
from mcp_server.runtime.modules import ModuleStore
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement
from tests.runtime.plugins import host_on, mixed


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def folder_of_code(store: ModuleStore, name: str, size: int, used: int) -> Path:
    """Compiled code of ``size`` bytes, last used at ``used``."""
    folder = store.code_folder(digest_of(name.encode()))
    (folder / "code").mkdir()
    (folder / "code" / "native").write_bytes(bytes(size))
    os.utime(folder, (used, used))
    return folder


@requirement("cache:private")
def test_nobody_else_can_enter_the_cache(tmp_path: Path) -> None:
    before = os.umask(0)  # the most careless user
    try:
        store = ModuleStore(tmp_path / "cache")
        store.put(digest_of(b"bytes"), b"bytes")
        code = store.code_folder(digest_of(b"bytes"))
    finally:
        os.umask(before)
    for folder in (tmp_path / "cache", tmp_path / "cache" / "modules", store.empty, code, code.parent):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    (stored,) = (tmp_path / "cache" / "modules").iterdir()
    assert stored.stat().st_mode & 0o777 == 0o400


@requirement("cache:integrity")
async def test_what_was_put_is_what_is_fetched(tmp_path: Path) -> None:
    store = ModuleStore(tmp_path)
    store.put(digest_of(b"bytes"), b"bytes")
    store.put(digest_of(b"bytes"), b"bytes")
    assert await store.fetch(digest_of(b"bytes")) == b"bytes"
    assert [path.suffix for path in (tmp_path / "modules").iterdir()] == [".wasm"]  # no half file is left


@requirement("cache:integrity")
async def test_a_stored_module_that_was_changed_is_refused_and_removed(tmp_path: Path) -> None:
    store = ModuleStore(tmp_path)
    digest = digest_of(b"bytes")
    store.put(digest, b"bytes")
    path = tmp_path / "modules" / f"{digest}.wasm"
    path.chmod(0o600)
    path.write_bytes(b"other")
    with pytest.raises(IntegrityError, match="has the digest"):
        await store.fetch(digest)
    with pytest.raises(IntegrityError, match="cannot be read"):
        await store.fetch(digest)
    store.put(digest, b"bytes")
    assert await store.fetch(digest) == b"bytes"


@requirement("cache:integrity")
async def test_a_reload_brings_back_a_stored_module_that_is_gone(plugins: Path, tmp_path: Path) -> None:
    write_plugin(plugins, "some", module(ECHO))
    async with host_on(plugins, tmp_path) as host:
        (stored,) = (tmp_path / "cache" / "modules").iterdir()
        stored.unlink()
        with pytest.raises(IntegrityError) as gone:
            await host.call("some", "echo", {})
        assert gone.value.fix == "reload the plugin"
        host.reload()
        assert await host.call("some", "echo", {"a": 1}) == {"a": 1}


@requirement("cache:bounded")
def test_the_compiled_code_that_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    store = ModuleStore(tmp_path, max_code_bytes=2_500)
    oldest, newest, middle = (
        folder_of_code(store, name, 1_000, used) for name, used in (("a", 100), ("b", 300), ("c", 200))
    )
    store.code_folder(digest_of(b"one more"))
    assert (oldest.exists(), middle.exists(), newest.exists()) == (False, True, True)


@requirement("cache:bounded")
def test_using_compiled_code_keeps_it(tmp_path: Path) -> None:
    store = ModuleStore(tmp_path, max_code_bytes=2_500)
    first, second, third = (
        folder_of_code(store, name, 1_000, used) for name, used in (("a", 100), ("b", 200), ("c", 300))
    )
    store.code_folder(first.name)
    store.code_folder(digest_of(b"one more"))
    assert (first.exists(), second.exists(), third.exists()) == (True, False, True)


@requirement("cache:bounded")
async def test_compiled_code_is_kept_for_the_next_start_and_cleared_on_demand(plugins: Path, tmp_path: Path) -> None:
    mixed(plugins)
    for _ in range(2):
        async with host_on(plugins, tmp_path) as host:
            assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
            assert native_code(tmp_path)
    command = [sys.executable, "-m", "mcp_server", "cache", "clear", "--json"]
    cleared = await anyio.run_process(command, env={"AGENTMEM_HOME": str(tmp_path)})
    assert json.loads(cleared.stdout)
    assert native_code(tmp_path) == []
    async with PluginHost(cache=tmp_path / "cache").load_plugins_from_dir(plugins) as host:
        assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}


def native_code(home: Path) -> list[Path]:
    return [path for path in (home / "cache" / "code").rglob("*") if path.is_file() and path.name != "cache.toml"]

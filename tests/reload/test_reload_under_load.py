"""Plugins replaced while they are called: no call fails, no answer mixes versions, no old worker stays."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from mcp_server.errors import PluginUnavailable
from mcp_server.host import PluginHost
from mcp_server.registry.lifecycle import State
from tests.conftest import plugin_tools
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement
from tests.runtime.plugins import LOOP, children_of, host_on

RELOADS = 200
CALLERS = 100


def version(number: int) -> bytes:
    """A module that answers its number twenty times, so that a mixed answer would show."""
    return answers(" ".join([f"v{number}"] * 20))


def replace(plugins: Path, wasm: bytes, name: str = "versioned") -> None:
    """As a careful build does: beside, then renamed."""
    path = plugins / name / f"{name}.wasm"
    fresh = path.with_suffix(".tmp")
    fresh.write_bytes(wasm)
    fresh.replace(path)


@requirement("reload:under-load")
async def test_reloads_under_load_fail_no_call_and_mix_no_answer(plugins: Path, cache: Path) -> None:
    write_plugin(plugins, "versioned", version(0))
    answered: Counter[int] = Counter()
    current = 0
    over = anyio.Event()
    async with host_on(plugins, cache, max_workers=1) as host:

        async def keep_calling() -> None:
            while not over.is_set():
                oldest = current
                words = str(await host.call("versioned", "run")).split()
                assert len(words) == 20
                (word,) = set(words)
                assert oldest <= int(word[1:]) <= current
                answered[int(word[1:])] += 1

        with anyio.fail_after(50):
            async with anyio.create_task_group() as tasks:
                for _ in range(CALLERS):
                    tasks.start_soon(keep_calling)
                for number in range(1, RELOADS + 1):
                    replace(plugins, version(number))
                    current = number
                    assert host.reload() == {"versioned"}
                    goal = number if number % 10 == 0 else -1  # sometimes let the new one come to work, mostly do not
                    while goal >= 0 and not answered[goal]:
                        await anyio.lowlevel.checkpoint()
                over.set()
            await until_only_current_workers(host)
        assert await host.call("versioned", "run") == " ".join([f"v{RELOADS}"] * 20)
        assert host.stats()["plugins"]["versioned"]["crashes"] == 0
    assert sum(answered.values()) >= CALLERS


async def until_only_current_workers(host: PluginHost) -> None:
    """Workers of replaced versions end when their last call has."""
    serving = {worker["pid"] for facts in host.stats()["plugins"].values() for worker in facts.get("workers", [])}
    while set(children_of(host.fleet.launcher.pid or 0)) - serving:
        await anyio.lowlevel.checkpoint()


@requirement("reload:running-calls")
async def test_a_running_call_ends_on_the_version_it_began_on(plugins: Path, cache: Path) -> None:
    slow = """
      (func (export "run") (result i32) (local $left i32)
        (local.set $left (i32.const 500000))
        (loop $again
          (drop (memory.grow (i32.const 0)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $again (local.get $left)))
        (call $out (call $in) (call $len)) (i32.const 0))"""
    write_plugin(plugins, "versioned", module(slow))
    async with host_on(plugins, cache) as host:
        answer: list[object] = []

        async def call() -> None:
            answer.append(await host.call("versioned", "run", {"began": "before"}))

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                await anyio.wait_all_tasks_blocked()
                replace(plugins, version(2))
                assert host.reload() == {"versioned"}
                assert str(await host.call("versioned", "run")).startswith("v2")
        assert answer == [{"began": "before"}]
        await until_only_current_workers(host)


@requirement("reload:running-calls")
async def test_a_call_that_outlasts_the_drain_time_is_told_that_its_version_was_stopped(
    plugins: Path, cache: Path
) -> None:
    write_plugin(plugins, "versioned", module(f"{ECHO} {LOOP}"))
    async with host_on(plugins, cache, drain_seconds=0.1) as host:

        async def call() -> None:
            with pytest.raises(PluginUnavailable, match="plugin 'versioned' was stopped"):
                await host.call("versioned", "loop")

        with anyio.fail_after(40):
            async with anyio.create_task_group() as tasks:
                await host.warm("versioned")
                tasks.start_soon(call)
                await anyio.wait_all_tasks_blocked()
                replace(plugins, version(2))
                host.reload()
        await until_only_current_workers(host)


@requirement("reload:bad-version")
async def test_a_version_that_cannot_be_taken_leaves_the_old_one_serving_and_shows_why(
    plugins: Path, cache: Path
) -> None:
    write_plugin(plugins, "versioned", version(1))
    async with host_on(plugins, cache) as host:
        await host.call("versioned", "run")
        replace(plugins, version(2)[:-5])  # half-written
        assert host.reload() == {"versioned"}
        record = host.registry.get("versioned")
        assert record.error is not None
        assert (record.shown_state, record.error.error_code) == (State.RUNNING, "module_invalid")
        assert "cut short" in record.error.message
        assert str(await host.call("versioned", "run")).startswith("v1")
        assert host.reload() == set()  # the same trouble is told once
        (plugins / "versioned" / "plugin.toml").write_text("not toml", encoding="utf-8")
        host.reload()
        assert record.error.error_code == "manifest_invalid"
        assert str(await host.call("versioned", "run")).startswith("v1")
        write_plugin(plugins, "versioned", version(3))
        assert host.reload() == {"versioned"}
        assert record.error is None
        assert str(await host.call("versioned", "run")).startswith("v3")


@requirement("reload:bad-version")
async def test_a_removed_plugin_is_gone_and_a_new_one_is_there(plugins: Path, cache: Path) -> None:
    write_plugin(plugins, "versioned", version(1))
    async with host_on(plugins, cache) as host:
        await host.call("versioned", "run")
        for name in ("plugin.toml", "versioned.wasm"):
            (plugins / "versioned" / name).unlink()
        write_plugin(plugins, "new", version(7))
        assert host.reload() == {"versioned", "new"}
        assert plugin_tools(host) == ["new__run"]
        assert str(await host.call("new", "run")).startswith("v7")
        with anyio.fail_after(40):
            await until_only_current_workers(host)


@requirement("reload:swap")
async def test_what_is_loaded_is_what_was_read_however_often_the_file_is_swapped(plugins: Path, cache: Path) -> None:
    """T23: the digest that is recorded is that of the bytes that answer."""
    modules = [version(number) for number in range(2)]
    digests = [hashlib.sha256(wasm).hexdigest() for wasm in modules]
    write_plugin(plugins, "versioned", modules[0])
    path = plugins / "versioned" / "versioned.wasm"
    beside = [path.with_suffix(f".{number}") for number in range(2)]
    swaps = 0
    async with host_on(plugins, cache) as host:
        over = anyio.Event()

        def swap() -> None:
            nonlocal swaps
            while not over.is_set():
                for number in range(2):
                    beside[number].write_bytes(modules[number])
                    os.replace(beside[number], path)  # noqa: PTH105  # called some thousand times a second
                    swaps += 1

        with anyio.fail_after(40):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.to_thread.run_sync, swap)
                for _ in range(40):
                    host.reload()
                    served = host.registry.get("versioned").version
                    assert served is not None
                    expected = digests.index(served.module.sha256)
                    assert str(await host.call("versioned", "run")).startswith(f"v{expected}")
                over.set()
    assert swaps > 40

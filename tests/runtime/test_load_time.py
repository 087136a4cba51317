"""How long a load may take: the processor time of the worker counts, not how long it waited for the processor."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from mcp_server.errors import LimitExceeded
from mcp_server.host import PluginHost
from mcp_server.runtime.patience import LONGEST, processor_seconds
from tests.guests import wat, write_plugin
from tests.runtime.plugins import host_on

LIMIT = 300
QUICK = f"[runtime]\nwasi = true\n[limits]\nmax_load_time_ms = {LIMIT}"


def sleeping(milliseconds: int) -> bytes:
    """A module whose start function sleeps: ``poll_oneoff`` on one clock, in the layout of WASI preview 1."""
    return wat(
        f"""(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (import "extism:host/env" "input_offset" (func $in (result i64)))
  (memory (export "memory") 1)
  (func $begin
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const {milliseconds * 1_000_000}))
    (if (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)) (then unreachable)))
  (start $begin)
  (func (export "run") (result i32) (call $out (call $in) (i64.const 0)) (i32.const 0)))"""
    )


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncIterator[PluginHost]:
    write_plugin(plugins, "waits", sleeping(2 * LIMIT), QUICK)
    write_plugin(plugins, "sleeps", sleeping(100 * LONGEST * LIMIT), QUICK)
    async with host_on(plugins, cache) as host:
        yield host


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no system call tells another process's processor time")
async def test_a_module_that_waits_twice_as_long_as_it_may_compute_is_served(host: PluginHost) -> None:
    with anyio.fail_after(20):
        assert await host.call("waits", "run", {}) == ""


async def test_a_module_that_sleeps_without_end_is_given_up(host: PluginHost) -> None:
    with anyio.fail_after(20), pytest.raises(LimitExceeded) as refused:
        await host.call("sleeps", "run", {})
    assert refused.value.data == {"limit": "load_time", "allowed": LIMIT}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no system call tells another process's processor time")
def test_the_processor_time_of_a_process_grows_with_its_work() -> None:
    before = processor_seconds(os.getpid())
    while processor_seconds(os.getpid()) <= before:
        pass
    assert (processor_seconds(0), processor_seconds(2**22)) == (0.0, 0.0)

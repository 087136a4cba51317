"""Bytes that the reader refuses, given to a worker all the same: the wall behind the wall."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from mcp_server.capabilities.base import CallContext
from mcp_server.errors import CallError
from mcp_server.host import PluginHost
from mcp_server.policy.limits import Limits
from mcp_server.policy.rights import decide_rights
from mcp_server.runtime.runnable import Runnable
from mcp_server.worker.frames import Mode
from tests.hostile.den import hostile
from tests.requirements import requirement
from tests.runtime.plugins import host_on, mixed

RAW: dict[str, bytes] = {
    "nothing": b"",
    "one NUL": b"\0",  # X1
    "a NUL in text": b"a\0b",
    "a header with a NUL": b"\x01asm\x01\0\0\0",
    "a NUL in an import": hostile("nul-in-import"),  # X2
    "a NUL in an export": hostile("nul-in-export"),
    "a manifest of the engine": b'{"wasm":[{"path":"/etc/passwd"}],"allowed_paths":{"/":"/"}}',  # X12
    "a module as text": b'(module (func (export "run") (result i32) (i32.const 0)))',
    "collected memory": hostile("gc-bomb"),
}
# What these are refused for is not that the engine could not take them.
ENDS = {
    "a NUL in an export": {"function_missing"},
    "a module as text": {"answered"},
    "collected memory": {"plugin_trapped", "limit_memory"},
}


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncIterator[PluginHost]:
    mixed(plugins)
    async with host_on(plugins, cache) as host:
        yield host


def context_of(plugin: str, limits: Limits) -> CallContext:
    return CallContext(
        plugin=plugin,
        principal="local",
        session="",
        call_id="c1",
        rights=decide_rights((), (), ()),
        limits=limits,
        config={},
        depth=0,
        deadline=time.monotonic() + 5,
        log=lambda line: None,
    )


@requirement("hostile:worker-death")
@pytest.mark.parametrize("what", RAW)
async def test_bytes_that_no_reader_saw_end_at_most_their_own_worker(host: PluginHost, what: str) -> None:
    data = RAW[what]
    limits = Limits(memory=16 * 1024 * 1024, instructions=10_000_000)
    runnable = Runnable(
        plugin="raw",
        digest=hashlib.sha256(data).hexdigest(),
        exports=("run",),
        host=(),
        initial_pages=0,
        lifecycle=(),
        config={},
        wasi=False,
        isolation=Mode.CALL,
        limits=limits,
    )
    host.fleet.modules.put(runnable.digest, data)
    runner = host.fleet.runner(runnable)
    outcome = "answered"
    with anyio.fail_after(40):
        try:
            await runner.call("run", b"", context_of("raw", limits))
        except CallError as error:
            outcome = error.error_code
        assert await host.call("mixed", "echo", {"a": 1}) == {"a": 1}
    assert outcome in ENDS.get(what, {"load_failed", "plugin_crashed"})

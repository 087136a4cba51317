"""The server's disk is full: here a file size limit that the test puts on the running server, and takes away again."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from mcp_server.backends.sqlite import SqliteStore
from mcp_server.services import STORE_NAME
from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import ask, plugin
from tests.requirements import requirement

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
UNLIMITED = resource.RLIM_INFINITY


@requirement("durability:disk-full")
async def test_a_full_disk_is_a_typed_error_and_heals_while_the_server_runs(serve: Serve, plugins: Path) -> None:
    plugin(plugins, "notes", "MemoryAccess")
    home = plugins.parent / "home"
    async with serve(environment={"AGENTMEM_HOME": str(home)}) as server:
        kept = await ask(server, "notes__add_memory", {"content": "before"})
        identifier = kept["data"]["memory"]["id"]
        wal = home / "data" / f"{STORE_NAME}-wal"
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (wal.stat().st_size, UNLIMITED))
        for number in range(3):
            refused = await ask(server, "notes__add_memory", {"content": f"{number} " * 20_000})
            assert (refused["success"], refused["metadata"]["code"]) == (False, "store_full")
            assert str(home) not in refused["error"]
        assert (await ask(server, "notes__get_memory", {"id": identifier}))["data"]["memory"]["content"] == "before"
        found = await ask(server, "notes__search_memories", {"query": "before"})
        assert len(found["data"]["results"]) == 1
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
        assert (await ask(server, "notes__add_memory", {"content": "after"}))["success"] is True
        assert await server.close() == 0
    store = SqliteStore(home / "data" / STORE_NAME)
    assert store.problems() == []
    assert store.memories.stats("local", "notes").records == 2
    store.close()

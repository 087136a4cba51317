"""What a live worker process may still do, read from /proc while it serves."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.host import PluginHost
from mcp_server.runtime.worker import GUEST_MEMORY_SHARES, LANE_DATA
from mcp_server.worker import walls
from tests.requirements import requirement
from tests.runtime.plugins import host_on, mixed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MIB = 1024 * 1024


@pytest.fixture
async def host(plugins: Path, cache: Path) -> AsyncIterator[PluginHost]:
    mixed(plugins, more="[limits]\nmax_memory_mb = 50\nmax_concurrency = 8")
    async with host_on(plugins, cache) as host:
        await host.warm("mixed")
        yield host


@pytest.fixture
def worker(host: PluginHost) -> Path:
    """The /proc folder of a worker that has loaded its plugin."""
    (facts,) = host.stats()["plugins"]["mixed"]["workers"]
    return Path(f"/proc/{facts['pid']}")


def status(worker: Path) -> dict[str, str]:
    lines = (worker / "status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@requirement("walls:environment")
async def test_a_worker_has_none_of_the_servers_environment(worker: Path) -> None:
    given = {entry.partition(b"=")[0] for entry in (worker / "environ").read_bytes().split(b"\0") if entry}
    assert given <= {b"RUST_LIB_BACKTRACE", b"LC_ALL"}


@requirement("walls:environment")
async def test_a_worker_stands_in_an_empty_folder(worker: Path) -> None:
    assert list((worker / "cwd").iterdir()) == []


@requirement("walls:descriptors")
async def test_a_worker_has_no_descriptor_but_the_null_device_and_its_channel(host: PluginHost, worker: Path) -> None:
    targets = {int(link.name): os.readlink(link) for link in (worker / "fd").iterdir()}  # noqa: PTH115  # of /proc
    assert {targets.pop(number) for number in (0, 1, 2)} == {"/dev/null"}
    channels = [target for target in targets.values() if target.startswith("socket:")]
    assert len(channels) == 1
    rest = [target for target in targets.values() if target not in channels]
    assert all(target.startswith("anon_inode:") for target in rest), rest


@requirement("walls:rlimits")
async def test_a_worker_cannot_take_more_than_its_limits(worker: Path) -> None:
    limits = {
        line[:26].strip(): line[26:].split()[0] for line in (worker / "limits").read_text(encoding="ascii").splitlines()
    }
    assert limits["Max core file size"] == "0"
    assert limits["Max open files"] == str(walls.OPEN_FILES)
    assert limits["Max file size"] == str(walls.FILE_SIZE)
    assert limits["Max data size"] == str(walls.BASE_DATA + GUEST_MEMORY_SHARES * 50 * MIB + 8 * LANE_DATA)
    assert limits["Max cpu time"] != "unlimited"


@requirement("walls:kernel")
async def test_a_worker_has_no_privilege_and_can_get_none(worker: Path) -> None:
    facts = status(worker)
    assert facts["NoNewPrivs"] == "1"
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(facts[capabilities], 16) == 0
    assert facts["Seccomp"] == "2"  # a filter is in force


@requirement("walls:kernel")
async def test_what_is_told_about_the_walls_is_what_stands(host: PluginHost, worker: Path) -> None:
    told = (await host.warm("mixed"))["walls"]
    assert told["rlimits"] is True
    assert told["no_new_privs"] is (status(worker)["NoNewPrivs"] == "1")
    assert told["seccomp"] is (status(worker)["Seccomp"] == "2")
    assert told["landlock"] >= 1 or not landlock_offered()


def landlock_offered() -> bool:
    libc: Any = ctypes.CDLL(None)
    return libc.syscall(444, None, ctypes.c_size_t(0), 1) >= 1  # landlock_create_ruleset, asked for its version


@requirement("walls:kernel")
async def test_a_workers_priority_is_below_the_servers(worker: Path) -> None:
    niceness = int((worker / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[16])
    assert niceness == os.getpriority(os.PRIO_PROCESS, 0) + walls.NICENESS

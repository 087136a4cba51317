"""A writer is killed in the middle of its work, again and again: what it acknowledged is there, and all is consistent.

``AGENTMEM_KILLS`` lives of a writer, and ``AGENTMEM_SERVER_KILLS`` of the whole server, a quarter of them with a plugin
that writes and the others with the server's own tools; the nightly run takes ten times as many.
"""

from __future__ import annotations

import json
import os  # a test's own switches, and kill -9
import signal
import subprocess
import sys
import textwrap
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcp_server.backends.sqlite import SqliteStore
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.requests import SearchMemories
from mcp_server.services import STORE_NAME
from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import plugin
from tests.memory.embedders import Topics
from tests.requirements import requirement
from tests.stdio_server import META, StdioServer

KILLS = int(os.environ.get("AGENTMEM_KILLS", "100"))  # noqa: TID251
SERVER_KILLS = int(os.environ.get("AGENTMEM_SERVER_KILLS", "100"))  # noqa: TID251
WRITES_A_LIFE = 12
SERVER_PARTS = 4
WRITES_SENT = 60
ROOT = Path(__file__).resolve().parents[2]
ME = ("ann", "notes")
# Imports once, then forks a writer for each line of stdin: to start Python anew would be most of a life. A line is one
# write(2), so that a killed writer leaves no half of it.
WRITER = """
    import os, sys
    from pathlib import Path
    from mcp_server.backends.sqlite import SqliteStore
    from mcp_server.memory.engine import MemoryEngine
    from mcp_server.memory.requests import AddMemory, DeleteMemory, UpdateMemory
    from tests.memory.embedders import Topics

    def write(start):
        store = SqliteStore(Path(sys.argv[1]))
        engine = MemoryEngine(store, embedder=Topics())
        me = ("ann", "notes")
        for n in range(start, start + 1_000_000):
            kept = engine.add(*me, AddMemory(content=f"tea number {n}")).record.id
            engine.update(*me, UpdateMemory(id=kept, content=f"dog number {n}"))
            gone = engine.add_many(*me, [AddMemory(content=f"car {n} {m}") for m in range(3)])[0].record.id
            engine.delete(*me, DeleteMemory(id=gone))
            store.keys.store(*me, f"k{n % 50}", str(n).encode(), quota=1 << 30)
            os.write(1, f"{n} {kept} {gone}\\n".encode())

    for line in sys.stdin:
        child = os.fork()
        if not child:
            write(int(line))
        os.write(1, f"pid {child}\\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"gone\\n")
"""


@contextmanager
def writers(path: Path) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0


def one_life(process: subprocess.Popen[str], start: int, writes: int) -> list[tuple[int, str, str]]:
    """What a writer acknowledged until it was killed, which was after ``writes`` at the earliest."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{start}\n")
    process.stdin.flush()
    child, acknowledged = 0, list[tuple[int, str, str]]()
    while (line := process.stdout.readline()) != "gone\n":
        assert line, "the writers are gone"
        if line.startswith("pid "):
            child = int(line.split()[1])
        else:
            number, kept, gone = line.split()
            acknowledged.append((int(number), kept, gone))
        if child and len(acknowledged) >= writes:
            os.kill(child, signal.SIGKILL)
            child = 0  # lines that were under way may follow, when its parent has waited for it
    return acknowledged


@requirement("durability:kill-writer")
@pytest.mark.timeout(60 + KILLS)
def test_no_acknowledged_write_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    acknowledged: list[tuple[int, str, str]] = []
    with writers(path) as process:
        for kill in range(KILLS):
            acknowledged += one_life(process, kill * 1_000_000, 1 + kill % WRITES_A_LIFE)
            if kill % 25 == 24:
                check(path, acknowledged, kill + 1)
    check(path, acknowledged, KILLS)


def check(path: Path, acknowledged: list[tuple[int, str, str]], kills: int) -> None:
    store = SqliteStore(path)
    assert store.problems() == []
    memories = store.memories
    for number, kept, gone in acknowledged:
        record = memories.get(*ME, kept, now=0)
        assert record is not None
        assert record.content == f"dog number {number}"
        assert memories.get(*ME, gone, now=0) is None
    bare = {one.id for one in memories.without_vector(*ME, Topics.model, limit=100_000)}
    assert bare.isdisjoint(kept for _, kept, _ in acknowledged)
    assert len(bare) == memories.count_without_vector(*ME, Topics.model) <= 3 * kills  # one add or batch of each life
    last = max(number for number, _, _ in acknowledged)
    value = store.keys.load(*ME, f"k{last % 50}")
    assert value is not None
    assert int(value.value) >= last
    found = MemoryEngine(store, embedder=Topics()).search(*ME, SearchMemories(query=f"dog number {last}", limit=1))
    assert [hit.record.content for hit in found.hits] == [f"dog number {last}"]
    store.close()


def request(tool: str, life: int, number: int) -> bytes:
    arguments = {"content": f"life {life} number {number}"}
    params = {"name": tool, "arguments": arguments, "_meta": META}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode() + b"\n"


async def one_server(server: StdioServer, tool: str, life: int, acknowledged: dict[str, str]) -> None:
    """Kill it with most of its writes under way; what it answered until then was promised."""
    await server.send_raw(b"".join(request(tool, life, number) for number in range(WRITES_SENT)))
    for _ in range(1 + 3 * (life % 15)):
        result = (await server.receive())["result"]["structuredContent"]
        kept = result["data"]["memory"] if "data" in result else result["memory"]
        acknowledged[kept["id"]] = kept["content"]
    server.process.kill()
    await server.process.wait()


def check_server(path: Path, space: str, acknowledged: dict[str, str]) -> None:
    store = SqliteStore(path)
    assert store.problems() == []
    for identifier, text in acknowledged.items():
        record = store.memories.get("local", space, identifier, now=0)
        assert record is not None
        assert record.content == text
    identifier, text = list(acknowledged.items())[-1]
    found = MemoryEngine(store).search("local", space, SearchMemories(query=text, limit=100))
    assert identifier in {hit.record.id for hit in found.hits}
    store.close()


@requirement("durability:kill-server")
@pytest.mark.timeout(60 + 20 * SERVER_KILLS)
@pytest.mark.parametrize("part", range(SERVER_PARTS))
async def test_no_acknowledged_write_is_lost_when_the_server_is_killed(serve: Serve, plugins: Path, part: int) -> None:
    through_wasm = part == 0
    if through_wasm:
        plugin(plugins, "notes", "MemoryAccess")
    tool, space = ("notes__add_memory", "notes") if through_wasm else ("memory__add", "@principal")
    home = plugins.parent / "home"
    acknowledged: dict[str, str] = {}
    lives = range(part, SERVER_KILLS, SERVER_PARTS)
    for life in lives:
        async with serve(environment={"AGENTMEM_HOME": str(home)}) as server:
            await one_server(server, tool, life, acknowledged)
    check_server(home / "data" / STORE_NAME, space, acknowledged)
    assert len(acknowledged) >= len(lives)

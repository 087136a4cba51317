"""What only the embedded store promises: its file, several processes on it, and what happens when it goes wrong."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from mcp_server.backends.conditions import AllOf
from mcp_server.backends.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreTooNew
from mcp_server.backends.sqlite import SqliteStore
from mcp_server.backends.sqlite.migrations import MIGRATIONS
from mcp_server.backends.sqlite.typed import connect
from tests.backends.conftest import MORNING, PLENTY
from tests.backends.test_contract import memory, vector

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
    import sys
    from pathlib import Path
    from mcp_server.backends.sqlite import SqliteStore
    from mcp_server.memory.engine import MemoryEngine
    from mcp_server.memory.requests import AddMemory, UpdateMemory
    store = SqliteStore(Path(sys.argv[1]))
    engine = MemoryEngine(store)
    start = int(sys.argv[2])
    for n in range(start, start + 1_000_000):
        identifier = engine.add("ann", "notes", AddMemory(content=f"written number {n}")).record.id
        engine.update("ann", "notes", UpdateMemory(id=identifier, content=f"changed number {n}"))
        store.keys.store("ann", "notes", f"k{n % 50}", str(n).encode(), quota=1 << 30)
        print(f"{n} {identifier}", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store.db"


def writer(path: Path, start: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(start)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def read_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def test_processes_write_to_one_file_at_once(path: Path) -> None:
    SqliteStore(path).close()
    processes = [writer(path, start) for start in (0, 1_000_000, 2_000_000)]
    acknowledged = [line for process in processes for line in read_lines(process, 50)]
    for process in processes:
        process.kill()
        process.communicate()
    store = SqliteStore(path)
    assert store.problems() == []
    assert all(store.memories.get("ann", "notes", line.split()[1], now=0) for line in acknowledged)
    store.close()


def test_processes_that_open_a_new_file_at_once_all_find_the_schema(path: Path) -> None:
    processes = [writer(path, start) for start in (0, 1_000_000, 2_000_000, 3_000_000)]
    assert all(all(read_lines(process, 2)) for process in processes)
    for process in processes:
        process.kill()
        process.communicate()


def test_vectors_that_another_process_wrote_or_deleted_are_seen_at_once(path: Path) -> None:
    mine, theirs = SqliteStore(path), SqliteStore(path)

    def nearest() -> list[str]:
        near = mine.memories.nearest("ann", "notes", "m", [1.0, 0.0], AllOf(()), limit=9, now=0)
        return [one.record.id for one in near]

    theirs.memories.add("ann", "notes", [memory("x", "1"), memory("y", "2")], quota=PLENTY)
    theirs.memories.put_vectors("ann", "notes", "m", [vector("1", "x", 0.6, 0.8)])
    assert nearest() == ["1"]
    theirs.memories.put_vectors("ann", "notes", "m", [vector("2", "y", 1.0, 0.0)])
    assert nearest() == ["2", "1"]
    theirs.memories.put_vectors("ann", "notes", "m", [vector("2", "y", 0.0, 1.0)])
    assert nearest() == ["1", "2"]
    theirs.memories.delete("ann", "notes", "1", at=MORNING)
    assert nearest() == ["2"]
    mine.close()
    theirs.close()


@pytest.mark.parametrize("cache", [0, 3_000])
def test_a_small_cache_of_vectors_is_kept_to_and_finds_the_same(path: Path, cache: int) -> None:
    small, large = SqliteStore(path, vector_cache=cache), SqliteStore(path)
    for owner in ("ann", "bob", "eve"):
        names = [str(n) for n in range(50)]
        small.memories.add(owner, "notes", [memory(f"text {name}", name) for name in names], quota=PLENTY)
        vectors = [vector(name, f"text {name}", math.sin(int(name)), math.cos(int(name))) for name in names]
        small.memories.put_vectors(owner, "notes", "m", vectors)
    for owner in ("ann", "bob", "eve", "ann"):
        found = [
            [
                (one.record.id, one.cosine)
                for one in store.memories.nearest(owner, "notes", "m", [0.6, 0.8], AllOf(()), limit=5, now=0)
            ]
            for store in (small, large)
        ]
        assert found[0] == found[1]
        assert len(found[0]) == 5
        assert small.memories._matrices.bytes <= cache  # pyright: ignore[reportPrivateUsage]  # what it takes
    small.close()
    large.close()


def test_vectors_of_the_first_schema_are_taken_over(path: Path) -> None:
    path.parent.mkdir()
    connection = connect(path)
    connection.execute(MIGRATIONS[0])
    connection.execute("INSERT INTO facts VALUES ('secret', x'00'); PRAGMA user_version = 1")
    connection.execute("INSERT INTO scopes VALUES ('ann', 'notes', 1, 1, 1, 1, 259)")
    connection.execute(
        """INSERT INTO memories VALUES (1, 'ann', 'notes', '1', NULL, NULL, 'semantic', 'x', '{}', NULL, 1, 1, NULL, 1,
           x'00', 'x'); INSERT INTO memories_fts (rowid, t, scope) VALUES (1, 'x', 'zz1')"""
    )
    connection.execute("INSERT INTO vectors VALUES (1, 1, 'm', ?)", (struct.pack("<2e", 0.6, 0.8),))
    connection.close()
    store = SqliteStore(path)
    near = store.memories.nearest("ann", "notes", "m", [0.6, 0.8], AllOf(()), limit=9, now=0)
    assert [(one.record.id, round(one.cosine, 2)) for one in near] == [("1", 1.0)]
    assert store.memories.count_without_vector("ann", "notes", "m") == 0
    assert store.problems() == []
    store.close()


def test_the_file_is_its_owners_alone(path: Path) -> None:
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_store_is_as_it_was_when_it_is_opened_again(path: Path) -> None:
    store = SqliteStore(path)
    store.memories.add("ann", "notes", [memory("tea", "1")], quota=PLENTY)
    secret = store.secret
    store.close()
    again = SqliteStore(path)
    assert again.secret == secret
    assert len(again.memories.match("ann", "notes", ["tea"], AllOf(()), limit=1, now=0)) == 1
    again.close()


def test_a_file_of_a_later_version_is_left_alone(path: Path) -> None:
    SqliteStore(path).close()
    connection = connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreTooNew) as refused:
        SqliteStore(path)
    assert f"schema {len(MIGRATIONS) + 1}" in refused.value.message


def test_a_file_that_is_no_database_is_a_typed_error(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all, whatever its name says " * 100)
    with pytest.raises(StoreDamaged):
        SqliteStore(path)


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as refused:
        SqliteStore(tmp_path / "file" / "store.db")
    assert str(tmp_path) not in refused.value.message


def test_a_write_that_waits_too_long_is_busy_and_changes_nothing(path: Path) -> None:
    store = SqliteStore(path, busy_ms=1)
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        store.keys.store("ann", "notes", "k", b"1", quota=PLENTY)
    assert store.keys.load("ann", "notes", "k") is None
    other.execute("ROLLBACK")
    store.keys.store("ann", "notes", "k", b"1", quota=PLENTY)
    other.close()
    store.close()


async def test_an_event_loop_does_not_wait_for_another_process(path: Path) -> None:
    store = SqliteStore(path, busy_ms=30_000)
    threads: list[threading.Thread] = []
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")

    def work() -> int:
        threads.append(threading.current_thread())
        if len(threads) == 2:  # away from the loop: now the lock may go
            other.execute("COMMIT")
        return store.keys.store("ann", "notes", "k", b"1", quota=PLENTY)

    assert await store.caller.soon(work) == 1
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()
    assert await store.caller.soon(lambda: threading.current_thread()) is threading.main_thread()
    other.close()
    store.close()


def test_a_full_disk_is_a_typed_error_and_heals_without_a_restart(path: Path) -> None:
    store = SqliteStore(path)
    store.keys.store("ann", "notes", "before", b"1", quota=PLENTY)
    limit = _limit_pages(store, 10)
    with pytest.raises(StoreFull) as full:
        store.keys.store("ann", "notes", "big", b"x" * 1_000_000, quota=PLENTY)
    assert (full.value.error_code, str(path) in full.value.message) == ("store_full", False)
    with pytest.raises(StoreFull):
        store.memories.add("ann", "notes", [memory("tea " * 20_000, "1")], quota=PLENTY)
    assert store.keys.load("ann", "notes", "before") is not None
    assert store.keys.load("ann", "notes", "big") is None
    assert store.problems() == []
    _limit_pages(store, limit)
    store.keys.store("ann", "notes", "big", b"x" * 1_000_000, quota=PLENTY)
    store.memories.add("ann", "notes", [memory("tea " * 20_000, "1")], quota=PLENTY)
    assert store.problems() == []
    store.close()


def test_a_file_size_limit_of_the_system_is_a_typed_error_and_heals(path: Path) -> None:
    script = """
        import resource, signal, sys
        from pathlib import Path
        from mcp_server.backends.errors import StoreFull
        from mcp_server.backends.sqlite import SqliteStore
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = SqliteStore(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        try:
            store.keys.store("ann", "notes", "k", b"x" * 1_000_000, quota=1 << 30)
        except StoreFull:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            store.keys.store("ann", "notes", "k", b"x" * 1_000_000, quota=1 << 30)
            print(store.problems())
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_damage_is_told(path: Path) -> None:
    store = SqliteStore(path)
    store.memories.add("ann", "notes", [memory("tea", "1"), memory("milk", "2")], quota=PLENTY)
    store.keys.store("ann", "notes", "k", b"1", quota=PLENTY)
    store.close()
    connection = connect(path)
    connection.execute("DELETE FROM memories WHERE id = '1'; UPDATE key_usage SET size = size + 1")
    connection.execute("DELETE FROM memories_fts WHERE rowid = 2")
    connection.close()
    again = SqliteStore(path)
    assert list(again.problems()) == [
        "a memory is not in the full-text index (1)",
        "a full-text row has no memory (1)",
        "a scope's counters are wrong (1)",
        "the bytes of some keys are wrong (1)",
    ]
    again.close()


def _limit_pages(store: SqliteStore, pages: int) -> int:
    """Let the file have ``pages`` pages at most on this thread, and give what it might have before."""
    connection = store.memories._database.connection  # pyright: ignore[reportPrivateUsage]
    ((before,),) = connection.execute("PRAGMA max_page_count").fetchall()
    ((used,),) = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {max(used + 1, pages)}")
    return int(before)

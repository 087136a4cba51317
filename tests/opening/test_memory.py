"""The file of remembered answers, and the lines that are answered from it, without a server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from mcp_server.opening.front import open_pipes
from mcp_server.opening.lines import read_line
from mcp_server.opening.memory import Memory, read_memory, written
from mcp_server.opening.place import cache_folder, file_for
from mcp_server.opening.world import fact_of
from mcp_server.settings import user_folders
from mcp_server.transport.frame import frame_problem
from tests.requirements import requirement

NOBODY = 65_534


def remembered(path: Path, *rests_on: Path) -> Memory:
    facts = {str(file): fact_of(str(file), hashed=file.suffix == ".toml") for file in rests_on}
    memory = Memory(facts, {"start\nping\n": "{}"}, {"stamp": "{}"}, {}, {"version": "1"}, str(path.parent))
    path.write_bytes(written(memory, path.name))
    path.chmod(0o600)
    return memory


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"ping", b"pong"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def another(path: Path) -> None:
    path.write_bytes(written(remembered(path), f"0{path.name}"))


def open_to_others(path: Path) -> None:
    path.chmod(0o640)


def give_away(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(path, NOBODY, NOBODY)


def link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@requirement("opening:never-stale")
def test_a_memory_that_is_whole_is_read_as_it_was_written(tmp_path: Path) -> None:
    memory = remembered(tmp_path / "a.json", tmp_path, tmp_path / "none")
    assert read_memory(str(tmp_path / "a.json")) == memory


@requirement("opening:never-stale")
@pytest.mark.parametrize("harm", [truncate, alter, empty, another, open_to_others, give_away, link, folder, pipe])
def test_a_memory_that_is_damaged_or_somebody_elses_is_not_believed(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.json"
    remembered(path)
    harm(path)
    assert read_memory(str(path)) is None


def touch(path: Path) -> None:
    os.utime(path, ns=(0, 0))


def rewrite(path: Path) -> None:
    facts = path.stat()
    path.write_text("B", encoding="utf-8")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def replace(path: Path) -> None:
    facts = path.stat()
    fresh = path.with_suffix(".new")
    fresh.write_text("A", encoding="utf-8")
    os.utime(fresh, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    fresh.replace(path)


def remove(path: Path) -> None:
    path.unlink()


@requirement("opening:never-stale")
@pytest.mark.parametrize("suffix", [".toml", ".wasm"])
@pytest.mark.parametrize("change", [touch, rewrite, replace, remove])
def test_a_memory_holds_until_a_file_is_not_what_it_was(
    tmp_path: Path, suffix: str, change: Callable[[Path], None]
) -> None:
    file = tmp_path / f"plugin{suffix}"
    file.write_text("A", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    memory = remembered(tmp_path / "a.json", file, tmp_path / "none")
    assert memory.holds
    change(file)
    assert not memory.holds


@requirement("opening:never-stale")
def test_a_memory_holds_until_a_file_comes_that_was_looked_for(tmp_path: Path) -> None:
    memory = remembered(tmp_path / "a.json", tmp_path / "config.toml")
    assert memory.holds
    (tmp_path / "config.toml").touch()
    assert not memory.holds


@requirement("opening:never-stale")
def test_each_way_to_start_has_a_memory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"AGENTMEM_HOME": str(tmp_path)}
    files = {
        file_for([], here),
        file_for(["--locked"], here),
        file_for([], {**here, "AGENTMEM_LOG__LEVEL": "debug"}),
        file_for([], {**here, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}),
    }
    monkeypatch.chdir(tmp_path)
    assert len({*files, file_for([], here)}) == 5
    assert file_for([], {**here, "TERM": "dumb", "AGENTMEM_SECRET_KEY": "x"}) == file_for([], here)


@pytest.mark.parametrize("home", ["/some/where", "~/at/home", "beside", ""])
def test_the_cache_lies_where_the_server_has_it(home: str) -> None:
    environment = {"AGENTMEM_HOME": home}
    assert Path(cache_folder(environment)) == user_folders(environment).cache


@pytest.mark.parametrize("word", ["--http", "--http=127.0.0.1:0", "--watch", "--processes", "--inherited=3", "--help"])
def test_with_some_options_the_server_is_started_at_once(word: str) -> None:
    assert open_pipes(["--locked", word], {}, -1, -1) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "id": st.integers() | st.text(max_size=8) | JSON,
        "method": st.sampled_from(["ping", "initialize", "tools/list"]) | JSON,
        "params": st.dictionaries(st.text(max_size=4), JSON, max_size=3) | JSON,
        "Method": JSON,
    },
)


def as_text(message: dict[str, Any], ensure_ascii: bool) -> str:
    return json.dumps(message, ensure_ascii=ensure_ascii)


LINES = st.builds(as_text, PARTS, st.booleans())


@requirement("opening:same")
@given(text=LINES)
def test_a_line_that_is_taken_says_the_same_to_the_server(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    said = read_line(data)
    if said is not None:
        message = from_json(data, allow_inf_nan=False)
        assert frame_problem(message) == ""
        assert said.message == message
        assert (said.id, said.method, said.params) == (message.get("id"), message["method"], message.get("params"))


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"a":1}}',
        b'{"jsonrpc":"2.0","id":1.0,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":null}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"n":NaN}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"n":"\\ud800"}}',
        b'{"jsonrpc":"2.0","id":1,"Method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","more":1}',
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 250 + b"1" + b"}" * 251,
        b"\xff",
    ],
)
def test_a_line_that_could_be_read_in_two_ways_is_the_servers(line: bytes) -> None:
    assert read_line(line) is None

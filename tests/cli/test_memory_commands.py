"""``memory search|add|export|import`` as a shell sees them, on a real store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_server.backends.sqlite import SqliteStore
from mcp_server.services import STORE_NAME
from tests.cli.test_commands import answer, run
from tests.conftest import Serve
from tests.requirements import requirement


def piped(home: Path, given: bytes, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "mcp_server", *words]
    return subprocess.run(command, cwd=home, env=environment, input=given, capture_output=True)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().removesuffix(b"\n").split(b"\n")]


def put(home: Path, *contents: str) -> None:
    """Memories of the user, through ``memory import``."""
    data = "".join(json.dumps({"content": content}) + "\n" for content in contents).encode()
    assert piped(home, data, "memory", "import", "-").returncode == 0


@requirement("memory-commands:add-search")
def test_what_is_added_is_found_with_its_fields(tmp_path: Path) -> None:
    words = ("--type", "episodic", "--metadata", '{"cups": 2}', "--importance", "0.5", "--agent", "tea", "--run", "r1")
    added = answer(tmp_path, "memory", "add", "Ann drinks green tea", *words)
    memory = added["memory"]
    assert added["duplicate"] is False
    assert (memory["memory_type"], memory["metadata"], memory["importance"]) == ("episodic", {"cups": 2}, 0.5)
    assert (memory["user_id"], memory["agent_id"], memory["run_id"]) == ("local", "tea", "r1")
    (found,) = answer(tmp_path, "memory", "search", "tea")["results"]
    assert found["memory"] == memory
    shown = run(tmp_path, "memory", "search", "tea").stdout.splitlines()
    assert shown[0].split() == ["SCORE", "ID", "TYPE", "CONTENT"]
    assert shown[1].split()[1:] == [memory["id"], "episodic", "Ann", "drinks", "green", "tea"]


@requirement("memory-commands:add-search")
def test_the_same_content_is_stored_once_and_stdin_is_read_for_a_dash(tmp_path: Path) -> None:
    first = piped(tmp_path, "zwei\nZeilen, ünïcode 茶".encode(), "memory", "add", "-").stdout.decode().strip()
    again = piped(tmp_path, "zwei\nZeilen, ünïcode 茶".encode(), "memory", "add", "-").stdout.decode()
    assert again == f"{first} was there already\n"
    assert run(tmp_path, "memory", "search", "ünïcode").stdout.splitlines()[1].endswith("zwei Zeilen, ünïcode 茶")
    bad = piped(tmp_path, b"\xff", "memory", "add", "-")
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert bad.stderr.startswith(b"error[invalid_arguments]: stdin is no UTF-8")


@requirement("memory-commands:scope")
def test_users_plugins_agents_and_runs_are_apart(tmp_path: Path) -> None:
    scopes: list[tuple[str, ...]] = [
        (),
        ("--user", "bob"),
        ("--plugin", "notes"),
        ("--agent", "a"),
        ("--agent", "a", "--run", "1"),
    ]
    for number, scope in enumerate(scopes):
        assert run(tmp_path, "memory", "add", f"tea {number}", *scope).returncode == 0

    def found(*scope: str) -> set[str]:
        return {hit["memory"]["content"] for hit in answer(tmp_path, "memory", "search", "tea", *scope)["results"]}

    assert found() == {"tea 0", "tea 3", "tea 4"}
    assert found("--user", "bob") == {"tea 1"}
    assert found("--plugin", "notes") == {"tea 2"}
    assert found("--agent", "a") == {"tea 3", "tea 4"}
    assert found("--run", "1") == {"tea 4"}
    assert run(tmp_path, "memory", "export", tmp_path / "out", "--agent", "a").stdout.startswith("2 memories")
    assert {line["content"] for line in lines_of(tmp_path / "out")} == {"tea 3", "tea 4"}


@requirement("memory-commands:add-search")
def test_a_search_takes_what_the_engine_takes(tmp_path: Path) -> None:
    put(tmp_path, "green tea", "black tea", "tea of roses")
    assert run(tmp_path, "memory", "add", "iced tea", "--type", "core", "--metadata", '{"cold": true}').returncode == 0
    assert len(answer(tmp_path, "memory", "search", "tea", "--limit", "2")["results"]) == 2
    for words in (("--type", "core"), ("--filter", '{"cold": true}')):
        (hit,) = answer(tmp_path, "memory", "search", "tea", *words)["results"]
        assert hit["memory"]["content"] == "iced tea"
    (hit, *_) = answer(tmp_path, "memory", "search", "roses", "--explain", "--mode", "lexical")["results"]
    assert hit["explanation"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("search", "x", "--limit", "0"), "invalid_request", "limit"),
        (("search", "x", "--mode", "loud"), "invalid_request", "mode"),
        (("search", "x", "--filter", "{"), "invalid_arguments", "--filter is not JSON"),
        (("search", "x", "--filter", '{"a": {"like": 1}}'), "invalid_request", "no operator 'like'"),
        (("search", "x", "--mode", "semantic"), "embeddings_not_configured", "no embedding model"),
        (("add", "  "), "invalid_request", "more than blanks"),
        (("add", "x", "--metadata", "[1]"), "invalid_request", "metadata"),
        (("add", "x", "--metadata", "{"), "invalid_arguments", "--metadata is not JSON"),
        (("add", "x", "--type", "vague"), "invalid_request", "memory_type"),
        (("import", "not there"), "invalid_arguments", "cannot be read"),
        (("export", "no/such/folder/file"), "invalid_arguments", "cannot be written"),
        (("export",), "invalid_arguments", "--json tells what was written to a file"),
    ],
)
@requirement("memory-commands:problems")
def test_what_makes_no_request_is_an_error_with_a_code(
    tmp_path: Path, words: tuple[str, ...], code: str, says: str
) -> None:
    result = run(tmp_path, "memory", *words, "--json")
    assert (result.returncode, result.stdout) == (2, "")
    error = json.loads(result.stderr)["error"]
    assert error["code"] == code
    assert says in error["message"]


@requirement("memory-commands:round-trip")
def test_an_export_is_imported_as_it_was_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path, "one", "two\nlines\u2028 and 茶", "three")
    answer(tmp_path, "memory", "add", "four", "--ttl-seconds", "9000", "--metadata", '{"deep": [{"a": null}]}')
    file = tmp_path / "memories.jsonl"
    assert answer(tmp_path, "memory", "export", file) == {"exported": 4, "file": str(file)}
    assert file.stat().st_mode & 0o777 == 0o600
    piped_out = run(tmp_path, "memory", "export").stdout
    assert piped_out == file.read_text(encoding="utf-8")
    report = answer(tmp_path, "memory", "import", file, "--user", "bob")
    assert (report["added"], report["duplicates"], report["refused"]) == (4, 0, 0)
    again = answer(tmp_path, "memory", "import", file, "--user", "bob")
    assert (again["added"], again["duplicates"], again["refused"]) == (0, 4, 0)
    answer(tmp_path, "memory", "export", tmp_path / "bob.jsonl", "--user", "bob")
    assert lines_of(tmp_path / "bob.jsonl") == [{**line, "user_id": "bob"} for line in lines_of(file)]


@requirement("memory-commands:round-trip")
def test_an_export_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    put(tmp_path, "one")
    folder = tmp_path / "target"
    folder.mkdir()
    result = run(tmp_path, "memory", "export", folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".target")] == []


@requirement("memory-commands:bad-lines")
def test_bad_lines_are_named_and_all_others_are_stored(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(
        b"\xef\xbb\xbf"
        + b"\n".join(
            [
                b'{"content": "first"}',
                b"",
                b"{",
                b'{"content": "\xff"}',
                b'{"content": "fifth"}',
                b"[" * 100_000,
                b'{"content": ""}',
                b'{"content": "x", "colour": 1}',
                b'{"content": "ninth, without a newline"}',
            ]
        )
    )
    result = run(tmp_path, "memory", "import", "in", "--json")
    assert result.returncode == 2
    report = json.loads(result.stdout)
    assert (report["added"], report["refused"], report["last_line"]) == (3, 5, 9)
    assert [problem.split(":")[0] for problem in report["problems"]] == [f"line {n}" for n in (3, 4, 6, 7, 8)]
    contents = {json.loads(line)["content"] for line in run(tmp_path, "memory", "export").stdout.splitlines()}
    assert contents == {"first", "fifth", "ninth, without a newline"}
    told = run(tmp_path, "memory", "import", "in")
    assert told.stdout == "0 added, 3 were there, 5 left out\n"
    assert told.stderr.splitlines()[0].startswith("line 3: is no JSON")


@requirement("memory-commands:bad-lines")
def test_an_import_replaces_no_memory_that_has_changed_since(tmp_path: Path) -> None:
    memory = answer(tmp_path, "memory", "add", "as it is now")["memory"]
    line = json.dumps({**memory, "content": "as it was"}).encode()
    result = piped(tmp_path, line, "memory", "import", "-", "--json")
    assert result.returncode == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem == f"line 1: id: '{memory['id']}' is there in version 1 with other content, and was left as it is"
    assert [json.loads(line)["content"] for line in run(tmp_path, "memory", "export").stdout.splitlines()] == [
        "as it is now"
    ]


@requirement("memory-commands:bad-lines")
def test_an_import_onto_a_full_disk_says_after_which_line_it_stopped_and_goes_on_later(tmp_path: Path) -> None:
    lines = [json.dumps({"content": f"number {number} {'x' * 3_000}"}) + "\n" for number in range(1_200)]
    (tmp_path / "in").write_text("".join(lines))
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(tmp_path)}  # noqa: TID251  # a test's
    shell = f"ulimit -f 3000; exec '{sys.executable}' -m mcp_server memory import in --json"
    full = subprocess.run(["bash", "-c", shell], cwd=tmp_path, env=environment, capture_output=True, text=True)
    report = json.loads(full.stdout)
    assert (full.returncode, json.loads(full.stderr)["error"]["code"]) == (4, "store_full")
    assert 0 < report["added"] == report["last_line"] < 1_200
    again = answer(tmp_path, "memory", "import", "in")
    assert (again["added"], again["duplicates"]) == (1_200 - report["added"], report["added"])
    store = SqliteStore(tmp_path / "data" / STORE_NAME)
    assert store.problems() == []
    store.close()


@requirement("memory-commands:round-trip")
def test_labels_are_given_to_lines_that_have_none(tmp_path: Path) -> None:
    given = b'{"content": "a"}\n{"content": "b", "agent_id": "own"}\n'
    assert piped(tmp_path, given, "memory", "import", "-", "--agent", "x", "--run", "1").returncode == 0
    exported = [json.loads(line) for line in run(tmp_path, "memory", "export").stdout.splitlines()]
    labelled = {(one["content"], one["agent_id"], one["run_id"]) for one in exported}
    assert labelled == {
        ("a", "x", "1"),
        ("b", "own", "1"),
    }


@requirement("memory-commands:beside-a-server")
async def test_a_running_server_and_the_commands_see_the_same_memories(serve: Serve, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with serve(environment={"AGENTMEM_HOME": str(home)}) as server:
        await server.call("memory__add", {"content": "told to the server"})
        assert [hit["memory"]["content"] for hit in answer(home, "memory", "search", "told")["results"]] == [
            "told to the server"
        ]
        put(home, "told by a file")
        found = await server.call("memory__search", {"query": "file"})
        assert found["structuredContent"]["results"][0]["memory"]["content"] == "told by a file"
        assert await server.close() == 0
    rows = answer(home, "audit", "show")["rows"]
    assert {row.get("function") for row in rows if row["event"] in ("command", "host_call")} == {"add_memory", "import"}


@requirement("memory-commands:round-trip")
def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    put(tmp_path, *(f"{number} " + "x" * 1_000 for number in range(300)))
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(tmp_path)}  # noqa: TID251  # a test's
    shell = f"set -o pipefail; '{sys.executable}' -m mcp_server memory export | head -n 1 | wc -l"
    result = subprocess.run(["bash", "-c", shell], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, "1", "")

"""``memory stats|history|delete|delete-all`` as a shell sees them, on a real store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_commands import answer, run
from tests.cli.test_memory_commands import put
from tests.conftest import Serve
from tests.flows.test_memory_tools import done
from tests.requirements import requirement


def stored(home: Path, content: str, *scope: str) -> str:
    return answer(home, "memory", "add", content, *scope)["memory"]["id"]


@requirement("memory-commands:care")
@pytest.mark.timeout(120)  # many commands, each a process of its own
def test_stats_tell_how_much_is_there_of_whom(tmp_path: Path) -> None:
    put(tmp_path, "green tea", "black tea")
    stored(tmp_path, "iced tea", "--type", "core")
    stored(tmp_path, "milk", "--user", "bob")
    stats = answer(tmp_path, "memory", "stats")
    assert (stats["memories"], stats["by_type"], stats["vectors"]) == (3, {"core": 1, "semantic": 2}, 0)
    assert 0 < stats["bytes"] < stats["quota_bytes"]
    assert stats["oldest"] <= stats["newest"]
    assert answer(tmp_path, "memory", "stats", "--user", "bob")["memories"] == 1
    assert answer(tmp_path, "memory", "stats", "--plugin", "notes") == {
        **{"memories": 0, "bytes": 0, "quota_bytes": stats["quota_bytes"], "vectors": 0, "changes": 0},
        **{"oldest": None, "newest": None, "by_type": {}},
    }
    assert "memories: 3" in run(tmp_path, "memory", "stats").stdout


@requirement("memory-commands:care")
@pytest.mark.timeout(120)  # many commands, each a process of its own
async def test_history_tells_what_was_there_before_also_of_what_is_gone(serve: Serve, tmp_path: Path) -> None:
    async with serve(environment={"AGENTMEM_HOME": str(tmp_path)}) as server:
        kept = (await done(server, "add", {"content": "tea at four"}))["memory"]["id"]
        await done(server, "update", {"id": kept, "content": "tea at five", "if_version": 1})
    assert run(tmp_path, "memory", "delete", kept).returncode == 0
    changes = answer(tmp_path, "memory", "history", kept)["changes"]
    assert [change["operation"] for change in changes] == ["delete", "update", "add"]
    assert [change["version"] for change in changes] == [2, 2, 1]
    assert changes[0]["before"]["content"] == "tea at five"
    assert changes[1]["before"]["content"] == "tea at four"
    assert changes[1]["at"].endswith("Z")
    shown = run(tmp_path, "memory", "history", kept).stdout.splitlines()
    assert shown[0].split() == ["VERSION", "AT", "OPERATION", "BEFORE"]
    assert "tea at four" in shown[2]
    elsewhere = run(tmp_path, "memory", "history", kept, "--user", "bob")
    assert elsewhere.stderr.startswith("error[memory_not_found]")


@requirement("memory-commands:care")
@pytest.mark.timeout(120)  # many commands, each a process of its own
def test_memories_are_deleted_by_id_in_their_scope_alone(tmp_path: Path) -> None:
    first, second = stored(tmp_path, "one"), stored(tmp_path, "two")
    assert run(tmp_path, "memory", "delete", first, "--user", "bob").returncode == 5
    assert answer(tmp_path, "memory", "delete", first, second)["deleted"] == 2
    again = run(tmp_path, "memory", "delete", first)
    assert (again.returncode, again.stdout) == (5, "")
    assert again.stderr.startswith("error[memory_not_found]")
    assert answer(tmp_path, "memory", "stats")["memories"] == 0
    rows = answer(tmp_path, "audit", "show")["rows"]
    assert [(row["function"], row["target"]) for row in rows if row["event"] == "command"][-2:] == [
        ("delete_memory", first),
        ("delete_memory", second),
    ]


@requirement("memory-commands:care")
@pytest.mark.timeout(120)  # many commands, each a process of its own
def test_many_are_deleted_only_with_their_number_said(tmp_path: Path) -> None:
    put(tmp_path, "green tea", "black tea")
    stored(tmp_path, "iced tea", "--type", "core", "--agent", "bar")
    stored(tmp_path, "milk", "--user", "bob")
    for words in ((), ("--confirm", "2")):
        asked = run(tmp_path, "memory", "delete-all", *words)
        assert (asked.returncode, asked.stdout) == (5, "")
        assert asked.stderr.startswith("error[confirmation_needed]: this deletes 3 memories")
        assert "--confirm 3" in asked.stderr
    assert answer(tmp_path, "memory", "delete-all", "--agent", "bar", "--confirm", "1")["deleted"] == 1
    assert answer(tmp_path, "memory", "delete-all", "--type", "core")["deleted"] == 0
    chosen = ("--filter", '{"content": {"contains": "green"}}', "--confirm", "1")
    assert answer(tmp_path, "memory", "delete-all", *chosen)["deleted"] == 1
    assert answer(tmp_path, "memory", "delete-all", "--confirm", "1")["deleted"] == 1
    assert answer(tmp_path, "memory", "stats", "--user", "bob")["memories"] == 1
    assert (
        "error[invalid_arguments]: --filter is not JSON"
        in run(tmp_path, "memory", "delete-all", "--filter", "{").stderr
    )

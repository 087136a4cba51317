"""How a running server is found, and that one which is gone is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from mcp_server.running.record import FOLDER, announced, running_servers
from tests.requirements import requirement

ANNOUNCE = """
import os, sys
from pathlib import Path
from mcp_server.running.record import announced
with announced(Path(sys.argv[1]), "1.0", url="http://127.0.0.1:1"):
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""


def start(state: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", ANNOUNCE, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert int(process.stdout.readline()) == process.pid
    return process


@requirement("running:found")
def test_a_server_is_found_while_it_runs_and_not_afterwards(tmp_path: Path) -> None:
    assert running_servers(tmp_path) == []
    with start(tmp_path) as process:
        (server,) = running_servers(tmp_path)
        assert (server.pid, server.url, server.local_token) == (process.pid, "http://127.0.0.1:1", False)
        process.communicate("")
    assert running_servers(tmp_path) == []
    assert list((tmp_path / FOLDER).iterdir()) == []


@requirement("running:found")
def test_the_record_of_a_killed_server_is_removed_also_when_its_id_is_somebody_elses(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        record = tmp_path / FOLDER / f"{process.pid}.json"
        assert record.stat().st_mode & 0o777 == 0o600
        assert record.parent.stat().st_mode & 0o777 == 0o700
        process.kill()
    stale = json.loads(record.read_bytes())
    reused = record.with_name(f"{os.getpid()}.json")  # a process of that id lives: this one
    reused.write_text(json.dumps({**stale, "pid": os.getpid()}))
    reused.chmod(0o600)
    assert running_servers(tmp_path) == []
    assert not record.exists()
    assert not reused.exists()


@requirement("running:found")
def test_several_servers_are_found_the_newest_first(tmp_path: Path) -> None:
    with start(tmp_path) as first, start(tmp_path) as second:
        assert [server.pid for server in running_servers(tmp_path)] == [second.pid, first.pid]
        first.communicate("")
        second.communicate("")


@requirement("running:found")
def test_a_record_that_others_could_have_written_counts_for_nothing(tmp_path: Path) -> None:
    with announced(tmp_path, "1.0", url="http://127.0.0.1:1"):
        (record,) = (tmp_path / FOLDER).iterdir()
        assert len(running_servers(tmp_path)) == 1
        record.chmod(0o622)
        assert running_servers(tmp_path) == []
        record.rename(tmp_path / "elsewhere")
        record.symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").chmod(0o600)
        assert running_servers(tmp_path) == []


@requirement("running:found")
def test_a_state_folder_that_cannot_be_written_does_not_stop_a_server(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in its place")
    with announced(tmp_path / "state", "1.0"):
        assert running_servers(tmp_path / "state") == []

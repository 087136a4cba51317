"""The files with the figures of servers: which are kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from mcp_server.telemetry.snapshot import KEPT, SnapshotFile, read_snapshots
from tests.requirements import requirement


@requirement("commands:stats-files")
def test_a_server_that_starts_takes_the_files_of_ended_ones_away_and_of_no_other(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "input()"]
    living = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(KEPT + 2)]
    gone = [subprocess.Popen([sys.executable, "-c", ""]) for _ in range(KEPT + 2)]
    for number, process in enumerate([*gone, *living]):
        document = {"pid": process.pid, "started": 0, "written": number, "ended": False}
        (tmp_path / f"{process.pid}.json").write_text(json.dumps(document), encoding="utf-8")
    for process in gone:
        process.wait()
    SnapshotFile(tmp_path).write({})
    found = read_snapshots(tmp_path)
    assert {one["pid"] for one in found if not one["ended"]} == {*(process.pid for process in living), os.getpid()}
    assert {one["pid"] for one in found if one["ended"]} == {process.pid for process in gone[2:]}
    for process in living:
        process.communicate(b"\n")

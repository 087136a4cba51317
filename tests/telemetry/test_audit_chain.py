"""The chain of the audit log: tampering shows, rotation keeps it whole, and processes may die while they write."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.telemetry import audit
from mcp_server.telemetry.audit import AuditLog
from mcp_server.telemetry.audit_check import audit_rows, check_audit
from mcp_server.telemetry.audit_file import AuditFile
from mcp_server.telemetry.chain import HEAD_NAME, audit_files
from tests.commands import answer, run
from tests.requirements import requirement

NOW = "2026-01-01T00:00:00+00:00"


def log_of(folder: Path, rows: int = 12, max_bytes: int = 700, keep_files: int = 100) -> None:
    """A log, of several files when it has several rows."""
    file = AuditFile(folder, max_bytes, keep_files)
    for number in range(rows):
        file.append([{"event": "test", "time": NOW, "number": number}], NOW)
    file.close()


def alter(folder: Path) -> tuple[str, int]:
    path = audit_files(folder)[1]
    path.write_bytes(path.read_bytes().replace(b'"event":"test"', b'"event":"tesT"', 1))
    return path.name, 1


def delete_row(folder: Path) -> tuple[str, int]:
    path = audit_files(folder)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:1], *lines[2:]]))
    return path.name, 2


def re_order(folder: Path) -> tuple[str, int]:
    path = audit_files(folder)[0]
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([second, first, *rest]))
    return path.name, 1


def cut_tail(folder: Path) -> tuple[str, int]:
    path = audit_files(folder)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    return path.name, len(lines)


def cut_within_a_row(folder: Path) -> tuple[str, int]:
    path = audit_files(folder)[-1]
    data = path.read_bytes()
    path.write_bytes(data[:-10])
    return path.name, len(data.splitlines())


def delete_oldest_file(folder: Path) -> tuple[str, int]:
    audit_files(folder)[0].unlink()
    return audit_files(folder)[0].name, 1


def delete_newest_file(folder: Path) -> tuple[str, int]:
    audit_files(folder)[-1].unlink()
    path = audit_files(folder)[-1]
    return path.name, len(path.read_bytes().splitlines()) + 1


def delete_head(folder: Path) -> tuple[str, int]:
    (folder / HEAD_NAME).unlink()
    return HEAD_NAME, 1


def damage_head(folder: Path) -> tuple[str, int]:
    (folder / HEAD_NAME).write_text('{"seq": 1, "more": 2}')
    return HEAD_NAME, 1


TAMPERINGS: list[Callable[[Path], tuple[str, int]]] = [
    alter,
    delete_row,
    re_order,
    cut_tail,
    cut_within_a_row,
    delete_oldest_file,
    delete_newest_file,
    delete_head,
    damage_head,
]


@requirement("audit:verify")
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_a_tampering_is_found_with_its_place_and_stays_found(
    tmp_path: Path, tamper: Callable[[Path], tuple[str, int]]
) -> None:
    log_of(tmp_path)
    assert len(audit_files(tmp_path)) > 2
    assert check_audit(tmp_path).file == ""
    place = tamper(tmp_path)
    checked = check_audit(tmp_path)
    assert (checked.file, checked.line) == place
    log_of(tmp_path, rows=4)
    assert check_audit(tmp_path).file != ""  # what is written afterwards hides nothing


@requirement("audit:verify")
def test_the_command_says_where_it_breaks_and_exits_with_3(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "audit"
    log_of(folder)
    assert answer(tmp_path, "audit", "verify")["rows"] == 12
    file, line = delete_row(folder)
    broken = run(tmp_path, "audit", "verify")
    assert broken.returncode == 3
    assert f"{file} line {line}: row 3 does not follow row 1" in broken.stdout


@requirement("audit:bounded")
def test_old_files_go_and_the_rest_still_holds(tmp_path: Path) -> None:
    log_of(tmp_path, rows=60, keep_files=3)
    assert len(audit_files(tmp_path)) == 3
    checked = check_audit(tmp_path)
    assert (checked.file, 0 < checked.rows < 60) == ("", True)


@requirement("audit:bounded")
def test_rows_that_find_no_room_are_counted_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_REQUEST_BYTES", 10)
    log = AuditLog(tmp_path, max_bytes=1_000_000, keep_files=2)
    for _ in range(3):
        log.record({"event": "test"}, b"x" * 11)
    log.record({"event": "test"}, b"y")
    log.close()
    rows = list(audit_rows(tmp_path))
    assert [row["request_sha256"] for row in rows if row["event"] == "test"] == [hashlib.sha256(b"y").hexdigest()]
    assert sum(row["lost"] for row in rows if row["event"] == "gap") == 3


@requirement("audit:survives")
def test_a_torn_last_row_is_dropped_and_said(tmp_path: Path) -> None:
    log_of(tmp_path, rows=3, max_bytes=100_000)
    (path,) = audit_files(tmp_path)
    with path.open("ab") as file:
        file.write(b'{"event":"te')
    assert check_audit(tmp_path).file == ""
    log_of(tmp_path, rows=1, max_bytes=100_000)
    assert [row["event"] for row in audit_rows(tmp_path)] == ["test", "test", "test", "recovered", "test"]
    assert check_audit(tmp_path).file == ""


@requirement("audit:survives")
def test_rows_that_were_written_without_their_head_are_taken_over(tmp_path: Path) -> None:
    log_of(tmp_path, rows=2, max_bytes=100_000)
    head = (tmp_path / HEAD_NAME).read_bytes()
    log_of(tmp_path, rows=2, max_bytes=100_000)
    (tmp_path / HEAD_NAME).write_bytes(head)  # as when a process is killed between the row and the head
    assert check_audit(tmp_path).file == ""
    log_of(tmp_path, rows=1, max_bytes=100_000)
    checked = check_audit(tmp_path)
    assert (checked.file, checked.rows) == ("", 5)


WRITER = """
import sys
from pathlib import Path
from mcp_server.telemetry.audit import AuditLog
log = AuditLog(Path(sys.argv[1]), max_bytes=4096, keep_files=1000)
for number in range(int(sys.argv[2])):
    log.record({"event": "test", "writer": sys.argv[3], "number": number}, b"request")
print("done", flush=True)
if sys.argv[4] == "wait":
    sys.stdin.read()
log.close()
"""


def writer(folder: Path, rows: int, name: str, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(rows), name, how]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def numbers_of(folder: Path, name: str) -> list[int]:
    return [row["number"] for row in audit_rows(folder) if row.get("writer") == name]


@requirement("audit:survives")
def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    writers = [writer(tmp_path, 200, str(number), "close") for number in range(4)]
    for process in writers:
        process.communicate()
    checked = check_audit(tmp_path)
    assert (checked.file, checked.rows) == ("", 800)
    for name in "0123":
        assert numbers_of(tmp_path, name) == list(range(200))


@requirement("audit:survives")
def test_a_killed_writer_leaves_a_log_that_holds(tmp_path: Path) -> None:
    for number in range(5):
        process = writer(tmp_path, 2_000, str(number), "wait")
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    log_of(tmp_path, rows=1, max_bytes=4096, keep_files=10_000)
    checked = check_audit(tmp_path)
    assert checked.file == "", checked
    for name in "01234":
        kept = numbers_of(tmp_path, name)
        assert kept == list(range(len(kept)))

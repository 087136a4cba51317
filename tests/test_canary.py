"""The watch of :mod:`tests.canary` sees what it must: a suite that leaks fails, and each place for a secret is used."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.canary import ENVIRONMENT, SLOTS
from tests.conftest import Serve
from tests.requirements import requirement

TESTS = Path(__file__).resolve().parent

SEEN_AT_ONCE = {
    "prints": ("print(SECRET)", "Captured stdout call"),
    "warns": ("sys.stderr.write(SECRET)", "Captured stderr call"),
    "logs": ("logging.getLogger('a').warning(SECRET)", "Captured log call"),
    "base64": ("print(base64.b64encode(f'x:{SECRET}'.encode()).decode())", "Captured stdout call"),
    "hexadecimal": ("print(SECRET.encode().hex().upper())", "Captured stdout call"),
    "child_on_stdout": ("child('print(KEY)')", "Captured stdout call"),
    "child_on_a_pipe": ("child('print(KEY)', capture_output=True)", "the stdout of a child process"),
    "child_with_an_error": ("child('raise SystemExit(KEY)', capture_output=True)", "the stderr of a child process"),
    "child_of_the_loop": ("anyio.run(later, 'print(KEY)')", "descriptor 1 of a child process"),
    "child_in_two_writes": (
        "anyio.run(later, 'os.write(1, KEY[:30].encode()); time.sleep(0.3); os.write(1, KEY[30:].encode())')",
        "descriptor 1 of a child process",
    ),
}
SEEN_AT_THE_END = {
    "child_into_a_file": "child('print(KEY)', stdout=(tmp_path / 'out').open('wb'))",
    "child_into_no_file": "child('print(KEY)', stdout=tempfile.TemporaryFile())",
    "file": "(tmp_path / 'a').mkdir(); (tmp_path / 'a' / 'b').write_text('x' * (2**20 - 40) + SECRET)",
    "database": "d = apsw.Connection(str(tmp_path / 'd')); d.execute('CREATE TABLE t(a)');"
    " d.execute('INSERT INTO t VALUES (?)', (SECRET,)); d.close()",
    "audit_row": "(tmp_path / 'audit.jsonl').write_text(json.dumps({'target': SECRET}))",
}
HARMLESS = {
    "placed": "placed(tmp_path / 'config.toml').write_text(SECRET)",
    "writes": "(tmp_path / 'b').write_text('canary-llm-key'); child('print(1)')",
}
SUITE = """
import base64, json, logging, os, subprocess, sys, tempfile
import anyio, apsw
from tests.canary import placed, slot

SECRET = slot("llm key")
SCRIPT = "import os, time; KEY = os.environ['OPENAI_API_KEY']; "

def child(script, **options):
    subprocess.run([sys.executable, "-c", SCRIPT + script], env={"PATH": os.environ["PATH"]}, **options)

async def later(script):
    process = await anyio.open_process([sys.executable, "-c", SCRIPT + script], env={"PATH": os.environ["PATH"]})
    async for _ in process.stdout:
        pass
    await process.aclose()
"""


def outcome(folder: Path, bodies: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """A run of its own, with a secret of its own, of a test for each of ``bodies``."""
    tests = "".join(f"\ndef test_{name}(tmp_path):\n    {body}\n" for name, body in bodies.items())
    (folder / "test_it.py").write_text(SUITE + tests)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS.parent)}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.canary", "-p", "no:cacheprovider", "-c", os.devnull]
    command += ["--rootdir", str(folder), "--basetemp", str(folder / "temp"), str(folder / "test_it.py"), *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@requirement("canary:sees")
def test_whatever_a_test_or_its_children_print_or_log_fails_that_test(tmp_path: Path) -> None:
    result = outcome(tmp_path, {name: body for name, (body, _) in SEEN_AT_ONCE.items()})
    assert result.returncode == 1
    told = dict(re.findall(r"^_+ test_(\w+) _+\na secret is in (.*)$", result.stdout, flags=re.MULTILINE))
    assert told == {name: where for name, (_, where) in SEEN_AT_ONCE.items()}, result.stdout
    assert f"\n{len(SEEN_AT_ONCE)} failed in" in result.stdout


@requirement("canary:sees")
def test_whatever_is_in_a_file_at_the_end_fails_the_run(tmp_path: Path) -> None:
    result = outcome(tmp_path, {**SEEN_AT_THE_END, **HARMLESS})
    assert result.returncode == 1
    (told,) = re.findall(r"^a secret is in (.*)$", result.stdout, flags=re.MULTILINE)
    files = re.findall(r"the file [^,]+/test_(\w+?)0/", told)
    assert sorted(files) == ["audit_row", "child_into_a_file", "database", "file"]
    assert told.endswith("a temporary file that a child process wrote to")


@requirement("canary:sees")
def test_a_suite_that_keeps_its_secrets_passes(tmp_path: Path) -> None:
    result = outcome(tmp_path, HARMLESS)
    assert result.returncode == 0, result.stdout


def test_the_last_test_does_not_run_out_of_time_over_the_files_of_all(tmp_path: Path) -> None:
    sparse = "(tmp_path / 'a').touch(); os.truncate(tmp_path / 'a', 2**30)"  # seconds to read
    result = outcome(tmp_path, {"large": sparse}, "--timeout", "1")
    next(tmp_path.rglob("a")).unlink()  # or this run reads it as well
    assert result.returncode == 0, result.stdout


@requirement("canary:everywhere")
@pytest.mark.skipif(sys.platform != "linux", reason="the environment of another process is Linux's to show")
async def test_a_server_that_a_test_starts_has_secrets_in_its_environment(serve: Serve) -> None:
    async with serve() as server:
        given = await anyio.Path(f"/proc/{server.process.pid}/environ").read_bytes()
        assert {f"{name}={value}".encode() for name, value in ENVIRONMENT.items()} <= set(given.split(b"\0"))


def slots_used() -> set[str]:
    """The places that tests and their tools name in a call of ``slot``."""
    calls = (
        node
        for path in TESTS.rglob("*.py")
        if path != Path(__file__).resolve()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "slot"
    )
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}  # pyright: ignore[reportReturnType]  # texts


@requirement("canary:everywhere")
def test_every_place_for_a_secret_holds_one_in_some_test() -> None:
    assert slots_used() == set(SLOTS)

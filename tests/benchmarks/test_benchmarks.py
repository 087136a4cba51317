"""The benchmark programs run and print their rows. Nothing here looks at a time: what they say is for `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.run import PROGRAMS
from benchmarks.table import Bar, alone, row_from_json

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("program", [*PROGRAMS, "soak"])
def test_a_program_runs_with_small_counts_and_prints_rows(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{program}", "--quick", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    rows = [row_from_json(line) for line in done.stdout.splitlines()]
    assert rows
    assert all(row.name for row in rows)
    assert any(row.measured > 0 for row in rows)
    assert any(row.bar for row in rows)


def test_run_prints_the_rows_of_all_programs_as_one_table() -> None:
    command = [sys.executable, "benchmarks/run.py", "--quick", "--only", "engine", "--only", "soak"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert table[0].replace(" ", "") == "|what|measured|baseline|ratio|bar|met|"
    assert any("warm instance" in line for line in table)
    assert any("soak" in line for line in table)
    assert "bars are met" in done.stdout


def test_a_bar_knows_its_good_side() -> None:
    assert Bar("most", 1.1).met(1.1)
    assert not Bar("most", 1.1).met(1.2)
    assert Bar("least", 0.35).met(0.4)
    assert Bar("least", 109, "figure").shown("MB/s") == "≥ 109 MB/s"


def test_a_row_without_a_bar_is_neither_met_nor_missed() -> None:
    assert alone("told", "µs", 1.0).met is None
    assert alone("met", "µs", 1.0, Bar("most", 1, "figure")).met

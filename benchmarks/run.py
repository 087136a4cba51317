"""Runs the benchmark programs, each in a process of its own, and prints all their rows as one table.

``make bench`` calls it; by hand it is ``python -m benchmarks.run``.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import Row, print_table, row_from_json

__all__ = ["PROGRAMS", "main", "run"]

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = (
    "engine",
    "channel",
    "stdio",
    "over_stdio",
    "over_http",
    "concurrency",
    "start",
    "memory",
    "growth",
    "memory_engine",
    "memory_quality",
    "code_quality",
    "text_quality",
    "rerank_quality",
)
"""What runs unless something else is asked for."""
LONG = ("soak",)


def main() -> int:
    """Run what the command line names; 1 when a program failed. A missed bar is a row of the table, not a failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts: a look, not a result")
    parser.add_argument("--soak", action="store_true", help="also a million calls, which takes a minute or more")
    parser.add_argument(
        "--only", action="append", choices=(*PROGRAMS, *LONG), metavar="NAME", help="this program; repeatable"
    )
    options = parser.parse_args()
    names = options.only or (PROGRAMS + LONG if options.soak else PROGRAMS)
    print(f"{_machine()}\n", flush=True)
    rows, failed = run(names, quick=options.quick)
    print_table(rows)
    barred = [row for row in rows if row.bar]
    print(f"\n{sum(bool(row.met) for row in barred)} of {len(barred)} bars are met")
    for name in failed:
        print(f"benchmarks/{name}.py failed; its rows are missing", file=sys.stderr)
    return 1 if failed else 0


def run(names: Sequence[str], *, quick: bool = False) -> tuple[list[Row], list[str]]:
    """The rows of the programs ``names``, and which of them failed."""
    rows: list[Row] = []
    failed: list[str] = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", *(["--quick"] if quick else [])]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            failed.append(name)
        else:
            rows += [row_from_json(line) for line in done.stdout.splitlines()]
    return rows, failed


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.release()}, {os.cpu_count()} × {_processor()}, "
        f"Python {platform.python_version()}, load average {load:.1f} at the start"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


if __name__ == "__main__":
    sys.exit(main())

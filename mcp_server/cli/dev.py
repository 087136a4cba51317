"""``dev`` and ``bench``: what a plugin does after each save, and how fast it does it."""

from __future__ import annotations

import json as json_text
import time
from pathlib import Path

import anyio

from mcp_server.authoring.developing import Round, develop
from mcp_server.authoring.golden import Outcome
from mcp_server.authoring.measuring import Figures, measure
from mcp_server.cli.output import print_json, print_table
from mcp_server.cli.test import describe
from mcp_server.errors import InvalidArguments
from mcp_server.telemetry.logs import set_up_logging

__all__ = ["bench", "dev"]

SHOWN = 300
MIB = 2**20
NO_FUEL = "Fuel is not shown: the engine, libextism, does not tell how much of it a call used."


def dev(folder: Path, *, json: bool, quiet: bool) -> None:
    """Go on until Ctrl-C."""
    set_up_logging("warning", "text")
    if not (quiet or json):
        print(NO_FUEL, flush=True)

    def tell(done: Round) -> None:
        if json:
            print(json_text.dumps(done.as_dict(), ensure_ascii=False), flush=True)
            return
        _tell(done, quiet=quiet)
        if not quiet:
            print(f"watching {folder}; Ctrl-C ends it", flush=True)

    anyio.run(develop, folder, tell)


def _tell(done: Round, *, quiet: bool) -> None:
    if done.built is not None and not quiet:
        at = time.strftime("%H:%M:%S")
        print(f"[{at}] built {done.built.module}: {done.built.size:,} bytes in {done.built.seconds:.1f} s")
    for finding in done.report.findings if done.report is not None else ():
        print(f"{finding.file}:{finding.line}: {finding.level}[{finding.code}]: {finding.message}", flush=True)
    for outcome in done.outcomes:
        if not (quiet and outcome.passed):
            _tell_outcome(outcome)
    if done.problem is not None:
        fix = f"\n  fix: {done.problem.fix}" if done.problem.fix else ""
        print(f"error[{done.problem.error_code}]: {done.problem.message}{fix}", flush=True)


def _tell_outcome(outcome: Outcome) -> None:
    print(describe(outcome))
    came = outcome.error or json_text.dumps(outcome.value, ensure_ascii=False)
    print(f"  = {came if len(came) <= SHOWN else came[:SHOWN] + '…'}")
    if not outcome.passed:
        print(f"  {outcome.located.file}:{outcome.located.line}: {outcome.problem}")


def bench(
    words: list[str], given: str, seconds: float, at_once: int, grants: list[str], *, json: bool, quiet: bool
) -> None:
    """Measure and print a table."""
    if len(words) not in (1, 2):
        raise InvalidArguments("name a function, or a folder and a function", fix="agentmem-mcp bench . count")
    place, function = Path(words[0]) if len(words) == 2 else Path(), words[-1]
    set_up_logging("error", "text")

    async def run() -> list[Figures]:
        granted = {"capabilities": grants} if grants else None
        return await measure(place, function, given.encode(), seconds=seconds, at_once=at_once, grants=granted)

    found = anyio.run(run)
    if json:
        figures = [one.as_dict() for one in found]
        print_json({"function": function, "input_bytes": len(given.encode()), "isolation": figures})
        return
    rows = [[one.isolation, str(one.calls), *_columns(one)] for one in found]
    print_table(["isolation", "calls", "p50 ms", "p99 ms", f"calls/s, {at_once} at once", "memory"], rows)
    if not quiet:
        print(NO_FUEL)


def _columns(one: Figures) -> list[str]:
    return [f"{one.p50_ms:.3f}", f"{one.p99_ms:.3f}", f"{one.per_second:,.0f}", f"{one.memory_bytes / MIB:.0f} MiB"]

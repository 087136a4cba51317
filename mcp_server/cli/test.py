"""``test``: runs a plugin's golden cases and says how each went."""

from __future__ import annotations

import json as json_text
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from mcp_server.authoring.cases import read_cases
from mcp_server.authoring.golden import Outcome, run_cases
from mcp_server.authoring.junit import as_junit
from mcp_server.authoring.rewriting import update_cases
from mcp_server.cli.output import print_json
from mcp_server.errors import SettingsError
from mcp_server.exits import Exit
from mcp_server.telemetry.logs import set_up_logging
from mcp_server.whole_file import replace_file

__all__ = ["TestOptions", "describe", "test"]

SHOWN = 300


@dataclass(frozen=True, slots=True)
class TestOptions:
    """What the command line said."""

    only: str = ""
    record: bool = False
    update: bool = False
    junit: Path | None = None
    json: bool = False
    quiet: bool = False


def test(folder: Path, options: TestOptions) -> int:
    """Run the cases; the exit code."""
    set_up_logging("error", "text")  # a case shows what the plugin logged where it matters
    cases = read_cases(folder if folder.is_dir() else folder.parent, options.only)
    silent = options.json or options.quiet
    told = _nothing if silent else _tell
    outcomes = anyio.run(partial(run_cases, folder, cases, record=options.record, told=told))
    changed = update_cases(outcomes) if options.update else []
    failed = 0 if options.update else sum(not outcome.passed for outcome in outcomes)
    if options.junit is not None:
        _write_junit(options.junit, folder, outcomes)
    if options.json:
        shown = [outcome.as_dict() for outcome in outcomes]
        print_json({"cases": shown, "failed": failed, "updated": [str(path) for path in changed]})
    elif not options.quiet:
        for path in changed:
            print(f"updated {path}")
        print(f"{len(outcomes)} cases, {failed} failed")
    return Exit.TOOL_ERROR if failed else 0


def describe(outcome: Outcome) -> str:
    """One line: how it went, what it took, what it asked of the host."""
    calls = ", ".join(
        call.function if call.outcome == "ok" else f"{call.function} ({call.outcome})" for call in outcome.host_calls
    )
    memory = f", {outcome.memory / 2**20:.0f} MiB" if outcome.memory else ""
    asked = f", host calls: {calls}" if calls else ""
    replayed = " from the recording" if outcome.replayed else ""
    word = "ok  " if outcome.passed else "FAIL"
    return f"{word} {outcome.located.case.name} ({outcome.milliseconds:.2f} ms{memory}{asked}{replayed})"


def _tell(outcome: Outcome) -> None:
    print(describe(outcome))
    if not outcome.passed:
        came = outcome.error or json_text.dumps(outcome.value, ensure_ascii=False)
        print(f"  {outcome.located.file}:{outcome.located.line}: {outcome.problem}")
        print(f"  came: {came if len(came) <= SHOWN else came[:SHOWN] + '…'}")


def _nothing(outcome: Outcome) -> None:
    """JSON is printed as a whole, and --quiet prints nothing."""


def _write_junit(path: Path, folder: Path, outcomes: list[Outcome]) -> None:
    try:
        replace_file(path, as_junit(folder.resolve().name, outcomes), mode=0o644)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}", fix="--junit FILE") from None

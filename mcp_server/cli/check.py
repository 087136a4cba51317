"""``check``: what is wrong with a plugin, a line for each finding, for people and for CI."""

from __future__ import annotations

from pathlib import Path

import anyio

from mcp_server.authoring.check import Report, check_plugin
from mcp_server.authoring.check_said import with_what_it_says
from mcp_server.cli.output import print_json
from mcp_server.exits import Exit
from mcp_server.telemetry.logs import set_up_logging

__all__ = ["check"]


def check(folder: Path, *, strict: bool, run: bool, json: bool, quiet: bool) -> int:
    """Check and print; the exit code. With ``run``, the module is asked what it says of itself."""
    report = check_plugin(folder)
    if run:
        set_up_logging("error", "text")
        report = anyio.run(with_what_it_says, report)
    if json:
        print_json(report.as_dict())
    elif not quiet:
        _print(report)
    return Exit.PLUGIN_INVALID if report.errors or (strict and report.warnings) else 0


def _print(report: Report) -> None:
    for finding in report.findings:
        print(f"{finding.file}:{finding.line}: {finding.level}[{finding.code}]: {finding.message}")
        print(f"  fix: {finding.fix}")
    counted = f"{_number(report.errors, 'error')}, {_number(report.warnings, 'warning')}"
    print(f"{report.plugin or report.manifest}: {counted if report.findings else 'nothing to say against it'}")


def _number(count: int, word: str) -> str:
    return f"1 {word}" if count == 1 else f"{count} {word}s"

"""What the commands print: JSON for programs, sentences and tables for people; errors on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

from mcp_server.errors import AgentMemError

__all__ = ["be_quiet", "fail", "guarded", "is_quiet", "known", "note", "print_json", "print_table", "say"]

_quiet: list[bool] = []


def be_quiet() -> None:
    """Leave out what :func:`say` and :func:`note` would print, for the rest of this command."""
    _quiet.append(True)


def is_quiet() -> bool:
    """Whether that was asked for."""
    return bool(_quiet)


def say(text: str) -> None:
    """What a command did, on stdout; a result that was asked for is printed instead."""
    if not _quiet:
        print(text)


def note(text: str) -> None:
    """What the reader should know beside the result, on stderr."""
    if not _quiet:
        print(text, file=sys.stderr)


def print_json(value: Any) -> None:
    """One JSON object; never a bare list, so that keys can be added."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their cells; the last one is left as long as it is, for a terminal to wrap."""
    cells = [list(headers), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers) - 1)]
    for row in cells:
        aligned = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        print("  ".join([*aligned, row[-1]]).rstrip())


def fail(error: AgentMemError, *, as_json: bool) -> int:
    """Say on stderr what failed and what to do; the exit code."""
    if as_json:
        print(json.dumps({"error": error.as_dict(for_operator=True)}), file=sys.stderr)
    else:
        fix = f"\n  fix: {error.fix}" if error.fix else ""
        print(f"error[{error.error_code}]: {error.message}{fix}", file=sys.stderr)
    return error.exit_code


def guarded(run: Callable[[], object], *, as_json: bool) -> None:
    """Run a command; every failure of it is one sentence on stderr and an exit code.

    Raises:
        SystemExit: It has failed.
    """
    try:
        run()
    except AgentMemError as error:
        sys.exit(fail(error, as_json=as_json))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  # the command line's main: nothing may leave as a traceback
        sys.exit(fail(known(error), as_json=as_json))


def known(error: Exception) -> AgentMemError:
    """The error of ours inside ``error``: task groups wrap what ends them, however lonely it is."""
    while isinstance(error, ExceptionGroup):
        inside = cast("tuple[Exception, ...]", error.exceptions)  # pyright: ignore[reportUnknownMemberType]  # stub
        error = next((inner for inner in inside if isinstance(inner, AgentMemError)), inside[0])
    if isinstance(error, AgentMemError):
        return error
    return AgentMemError(
        f"unexpected {type(error).__name__}: {error}",
        fix="this is a fault of agentmem-mcp: please report it with `agentmem-mcp version --json`",
    )

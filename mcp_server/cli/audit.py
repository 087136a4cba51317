"""``audit show`` and ``audit verify``: what plugins were allowed and did, and whether that record is whole."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from mcp_server.cli.output import print_json, print_table
from mcp_server.errors import InvalidArguments
from mcp_server.exits import Exit
from mcp_server.settings import user_folders
from mcp_server.telemetry.audit_check import check_audit, newest_rows

__all__ = ["show_audit", "verify_audit"]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def show_audit(plugin: str | None, since: str | None, count: int, *, json: bool) -> None:
    """Print the newest rows, oldest of them first."""
    start = _moment(since) if since else None
    rows = newest_rows(user_folders().state / "audit", count, plugin, start)
    if json:
        print_json({"rows": rows})
        return
    headers = ["SEQ", "TIME", "PRINCIPAL", "PLUGIN", "WHAT", "CODE", "TARGET"]
    print_table(headers, [_cells(row) for row in rows])


def verify_audit(*, json: bool) -> int:
    """Check the chain and say where it breaks; the exit code."""
    checked = check_audit(user_folders().state / "audit")
    if json:
        print_json({"ok": not checked.file, **asdict(checked)})
    elif checked.file:
        print(f"broken: {checked.file} line {checked.line}: {checked.why}")
    else:
        print(f"{checked.rows} rows in {checked.files} files hold; the last hash is {checked.head or '-'}")
    return Exit.DENIED if checked.file else 0


def _cells(row: dict[str, Any]) -> list[str]:
    what = row.get("function") or row["event"]
    target = row.get("target") or ", ".join(chain(row.get("effective", ()), row.get("capabilities", ())))
    values = (row["seq"], row["time"], row.get("principal", "-"), row.get("plugin", "-"), what, row.get("code", "-"))
    # repr without its quotes: what a plugin named must not move the cursor
    return [repr(str(value))[1:-1] for value in (*values, target or "-")]


def _moment(text: str) -> datetime:
    """``2h`` ago, or a time; without a zone it is this machine's."""
    ago = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise InvalidArguments(
            f"--since {text!r} is neither a time nor a duration", fix="for example --since 2h, or 2026-01-31T08:00"
        ) from None

"""``token create``, ``token list`` and ``token revoke``: who may call over HTTP, and for what."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mcp_server.backends.tokens import TOKENS_NAME, StaticToken, TokenFile
from mcp_server.cli.output import note, print_json, print_table, say
from mcp_server.errors import TokenProblem
from mcp_server.policy.scopes import BASIC, scope_problem
from mcp_server.settings import user_folders

__all__ = ["create_token", "list_tokens", "revoke_token"]

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def create_token(name: str, scopes: Sequence[str], expires: str | None, principal: str | None, *, json: bool) -> None:
    """Give out a token and print it: the only time that it is seen."""
    problems = [problem for word in scopes if (problem := scope_problem(word))]
    if problems:
        raise TokenProblem("; ".join(problems), fix=f"agentmem-mcp token create {name} --scope tools:list")
    now = int(time.time())
    until = _until(expires, now) if expires else None
    held = tuple(dict.fromkeys(scopes)) or BASIC
    entry, token = _file().create(name, principal or name, held, created=now, expires=until)
    if json:
        print_json({"token": token, **_shown(entry, now)})
        return
    print(token)
    note(f"scopes: {' '.join(entry.scopes)}; expires: {_time(entry.expires)}; it is not shown again")


def list_tokens(*, json: bool) -> None:
    """Print every token's entry."""
    now = int(time.time())
    entries = [_shown(entry, now) for entry in _file().tokens()]
    if json:
        print_json({"tokens": entries})
        return
    headers = ["ID", "NAME", "PRINCIPAL", "CREATED", "EXPIRES", "SCOPES"]
    rows = [
        [
            entry["id"],
            entry["name"],
            entry["principal"],
            entry["created"],
            f"{entry['expires']}{' (expired)' if entry['expired'] else ''}",
            " ".join(entry["scopes"]),
        ]
        for entry in entries
    ]
    print_table(headers, rows)


def revoke_token(name: str, *, json: bool) -> None:
    """Take a token back."""
    entry = _file().revoke(name)
    if json:
        print_json({"revoked": _shown(entry, int(time.time()))})
    else:
        say(f"revoked {entry.name} ({entry.id})")


def _file() -> TokenFile:
    return TokenFile(user_folders().data / TOKENS_NAME)


def _until(text: str, now: int) -> int:
    match = _DURATION.fullmatch(text)
    try:
        until = now + int(match[1]) * _SECONDS[match[2]] if match else _moment(text)
    except ValueError:
        raise TokenProblem(
            f"--expires {text!r} is neither a duration nor a time", fix="for example --expires 30d, or 2027-01-31"
        ) from None
    if until <= now:
        raise TokenProblem(f"--expires {text!r} is in the past", fix="for example --expires 30d")
    return until


def _moment(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.astimezone()).timestamp())


def _shown(entry: StaticToken, now: int) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "principal": entry.principal,
        "scopes": list(entry.scopes),
        "created": _time(entry.created),
        "expires": _time(entry.expires),
        "expired": entry.expires is not None and entry.expires <= now,
    }


def _time(at: int | None) -> str:
    return "never" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

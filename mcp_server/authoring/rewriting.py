"""``test --update``: puts what came in the place of what was expected, and leaves the rest of a file as it was."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from mcp_server.authoring.errors import CasesInvalid
from mcp_server.authoring.golden import Outcome
from mcp_server.authoring.toml_text import has_toml_form, toml_value
from mcp_server.whole_file import replace_file

__all__ = ["update_cases"]

_EXPECTATIONS = ("expect", "expect_json", "error")


def update_cases(outcomes: Sequence[Outcome]) -> list[Path]:
    """Rewrite the cases that did not come out as expected; the files that changed.

    Raises:
        CasesInvalid: A file is written in a way that cannot be changed safely; it is left as it is.
    """
    failed = [outcome for outcome in outcomes if not outcome.passed]
    files: list[Path] = []
    for path, group in groupby(failed, key=lambda outcome: outcome.located.file):
        _rewrite(path, list(group))
        files.append(path)
    return files


def _rewrite(path: Path, outcomes: Sequence[Outcome]) -> None:
    import tomlkit  # noqa: PLC0415  # 40 ms that only this has to spend

    text = path.read_text(encoding="utf-8")
    wanted, document = tomllib.loads(text), tomlkit.parse(text)
    for outcome in outcomes:
        key, value = _came(outcome)
        number = outcome.located.number
        _set(wanted["case"][number], key, value)
        item = tomlkit.parse(f"value = {toml_value(value)}\n")["value"]
        _set(cast("list[dict[str, Any]]", document["case"])[number], key, item)
    changed = document.as_string()
    if tomllib.loads(changed) != wanted:
        raise CasesInvalid(
            f"{path} is written in a way that cannot be changed safely", fix="write expect and error above sub-tables"
        )
    replace_file(path, changed.encode("utf-8"), mode=path.stat().st_mode & 0o7777)


def _set(case: dict[str, Any], key: str, value: Any) -> None:
    if key in case and not (isinstance(case[key], dict) and key == "expect"):
        case[key] = value
    else:
        case.pop(key, None)
        case[key] = value
    for other in _EXPECTATIONS:
        if other != key:
            case.pop(other, None)


def _came(outcome: Outcome) -> tuple[str, Any]:
    if outcome.error is not None:
        return "error", outcome.error
    if has_toml_form(outcome.value):
        return "expect", outcome.value
    return "expect_json", json.dumps(outcome.value, ensure_ascii=False)

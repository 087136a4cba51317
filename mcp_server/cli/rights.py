"""A plugin's rights side by side: what its manifest asks for, what the operator grants, what is in force."""

from __future__ import annotations

from mcp_server.cli.output import print_table
from mcp_server.policy.llm import LlmRules
from mcp_server.policy.rights import CAPABILITIES, Rights
from mcp_server.policy.shown import rights_as_json

__all__ = ["print_rights", "told_budgets"]

_SIDES = ("requested", "granted", "effective")


def print_rights(rights: Rights) -> None:
    """Tables of three columns; what is asked for and not granted has a gap in its row, and so has the reverse."""
    asked = rights.required | rights.optional
    rows = [
        [
            name,
            _word(name in rights.required, "required") or _word(name in rights.optional, "optional"),
            "denied" if name in rights.denied else _word(name in rights.granted, "granted"),
            "yes" if name in rights.effective else "no",
        ]
        for name in CAPABILITIES
        if name in asked | rights.granted | rights.denied
    ]
    print("rights:")
    print_table(["  CAPABILITY", "REQUESTED", "GRANTED", "EFFECTIVE"], [[f"  {row[0]}", *row[1:]] for row in rows])
    shown = rights_as_json(rights)
    network, files = shown["network"], shown["filesystem"]
    granted = [f"{root['name']} = {root['folder']} ({root['mode']})" for root in files["granted"]]
    _side_by_side("URLS", network["requested"], network["granted"], network["effective"], network["denied"])
    _side_by_side("FILES", _modes(files["requested"]), granted, _modes(files["effective"]), files["denied"])
    if "NetworkAccess" in rights.effective:
        _numbers("REQUESTS", network["limits"])
    if "FileSystemAccess" in rights.effective:
        _numbers("FILE NUMBERS", files["limits"])
    for name, to in network["secrets"].items():
        print(f"  secret {name}: may be sent to {', '.join(to)}")
    for block in network["ranges"]:
        print(f"  address range: {block}")
    if shown["storage"]["quota_bytes"]:
        print(f"  stored values: at most {shown['storage']['quota_bytes'] // 1_048_576} MiB for each caller")
    for alias in shown["llm"]["effective"]:
        print(f"  model: {alias}")
    if shown["llm"]["effective"]:
        print(f"  models: at most {', '.join(told_budgets(rights.llm))}")
    if rights.hooks:
        print("  hooks: run, and see the memories of all plugins of a caller")
    if rights.shares_memories:
        print("  memories: those of whoever calls, not its own alone")


def told_budgets(rules: LlmRules) -> list[str]:
    """How much of the language models a plugin may use: ``["200000 tokens a call", "1000000 tokens a day", …]``."""
    told = [f"{rules.tokens_per_call} tokens a call"]
    told += [f"{rules.cost_per_call / 1_000_000:g} in cost a call"] if rules.cost_per_call is not None else []
    told += [f"{rules.tokens_per_day} tokens a day"] if rules.tokens_per_day is not None else []
    told += [f"{rules.cost_per_day / 1_000_000:g} in cost a day"] if rules.cost_per_day is not None else []
    return [*told, f"{rules.calls_at_once} at once"]


def _side_by_side(what: str, requested: list[str], granted: list[str], effective: list[str], denied: list[str]) -> None:
    if not (requested or granted or denied):
        return
    granted = granted + [f"not {pattern}" for pattern in denied]
    height = max(len(requested), len(granted), len(effective))
    columns = [column + [""] * (height - len(column)) for column in (requested, granted, effective or ["nothing"])]
    print_table(
        [f"  {what} REQUESTED", "GRANTED", "EFFECTIVE"],
        [[f"  {row[0] or '-'}", row[1] or "-", row[2]] for row in zip(*columns, strict=False)],
    )


def _numbers(what: str, limits: dict[str, dict[str, float | None]]) -> None:
    rows = [
        [f"  {key}", *("-" if number[side] is None else f"{number[side]:g}" for side in _SIDES)]
        for key, number in limits.items()
    ]
    print_table([f"  {what}", *(side.upper() for side in _SIDES)], rows)


def _modes(paths: list[dict[str, str]]) -> list[str]:
    return [f"{entry['path']} ({entry['mode']})" for entry in paths]


def _word(holds: bool, word: str) -> str:
    return word if holds else ""

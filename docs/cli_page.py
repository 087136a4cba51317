"""Writes ``docs/cli.md`` from the commands themselves: usage, arguments, options and an example of each."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import typer.main
from typer import Context
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from mcp_server.cli.examples import EXAMPLES, PROGRAM
from mcp_server.cli.main import app

__all__ = ["cli_page"]

_HEAD = """\
# Command-line reference

Every command with all that it takes, as `--help` tells it. What the commands do, and why, is in
[commands.md](commands.md). `--quiet` (`-q`) goes with every command, anywhere on the line: results and errors alone are
printed. No command prints colours, with or without `NO_COLOR`.
"""
_FOOT = """
This page is written by `docs/generate.py` from `mcp_server/cli/`.
"""


def cli_page() -> str:
    """The page."""
    sections = [_section(words, command) for words, command in _commands(typer.main.get_command(app))]
    return _HEAD + "".join(sections) + _FOOT


def _commands(group: object, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command in the order of ``--help``."""
    assert isinstance(group, TyperGroup)  # noqa: S101  # a program that writes pages
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, (*words, name))
        elif isinstance(command, TyperCommand):
            yield (*words, name), command


def _section(words: tuple[str, ...], command: TyperCommand) -> str:
    name = " ".join(words)
    context = Context(command, info_name=f"{PROGRAM} {name}")
    usage = " ".join([PROGRAM, *words, *command.collect_usage_pieces(context)])
    lines = ["", f"## {name}", "", inspect.cleandoc(command.help or ""), "", "```text", usage, "```", ""]
    rows = [row for parameter in command.params if (row := _row(parameter))]
    if rows:
        lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    if name in EXAMPLES:
        lines += ["```sh", f"{PROGRAM} {EXAMPLES[name]}", "```", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(parameter: object) -> str:
    """A line of the table; nothing for what is hidden."""
    if isinstance(parameter, TyperOption):
        if parameter.hidden:
            return ""
        value = "" if parameter.is_flag else f" {parameter.metavar or 'N'}"
        named = ", ".join(f"`{option}{value}`" for option in parameter.opts)
        return f"| {named} | {_cell(parameter.help)}{' Needed.' if parameter.required else ''} |"
    if isinstance(parameter, TyperArgument):
        shown = parameter.metavar or str(parameter.name).upper()
        return f"| `{shown}` | {_cell(parameter.help)}{'' if parameter.required else ' May be left out.'} |"
    return ""


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "\\<")

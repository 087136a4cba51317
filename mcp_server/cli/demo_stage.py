"""What the steps of the demo play on: a connected client, how a call is shown, and what is expected of it."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from typing import Any, cast

import anyio
from mcp import Client, MCPError
from mcp_types import CallToolResult, TextContent, Tool

__all__ = ["WIDTH", "Stage", "Unexpected", "ask", "call", "expect", "known_plugin", "show", "show_failure", "text_of"]

WIDTH = 100


class Unexpected(Exception):
    """A step showed something else than it should."""

    def __init__(self, expected: str, observed: object) -> None:
        super().__init__(f"expected {expected}, observed {observed}")
        self.expected = expected
        self.observed = observed


@dataclass(frozen=True, slots=True)
class Stage:
    """What the steps play on.

    Attributes:
        client: Connected to the server.
        tools: What the server lists.
        arguments: Folders and configuration, as ``serve`` got them and as ``plugin list`` takes them.
        text: A real text in prose.
        text_name: What that text is called.
    """

    client: Client
    tools: dict[str, Tool]
    arguments: list[str]
    text: str
    text_name: str


async def call(stage: Stage, name: str, arguments: dict[str, Any], *, quiet: bool = False) -> dict[str, Any]:
    """The structured result of a call that must succeed."""
    result = await ask(stage, name, arguments, quiet=quiet)
    if not quiet or result.is_error:
        show(f"=> {text_of(result)}")
    expect(not result.is_error, f"a result of {name}", text_of(result))
    return cast("dict[str, Any]", result.structured_content)


async def ask(stage: Stage, name: str, arguments: dict[str, Any], *, quiet: bool = False) -> CallToolResult:
    """What a tool answers, an error too."""
    if not quiet:
        show(f"{name} {json.dumps(arguments)}")
    try:
        return await stage.client.call_tool(name, arguments)
    except MCPError as error:
        raise Unexpected(f"an answer of {name}", error) from None


def expect(holds: bool, expected: str, observed: object) -> None:
    """Fail the step unless ``holds``."""
    if not holds:
        raise Unexpected(expected, observed)


async def known_plugin(stage: Stage, plugin: str) -> dict[str, Any]:
    """What ``plugin list`` says of a plugin."""
    command = [sys.executable, "-m", "mcp_server", "plugin", "list", "--json", *stage.arguments]
    result = await anyio.run_process(command, check=False)
    expect(result.returncode == 0, "a list of plugins", result.stderr.decode())
    listed: list[dict[str, Any]] = json.loads(result.stdout)["plugins"]
    return next(entry for entry in listed if entry["id"] == plugin)


def text_of(result: CallToolResult) -> str:
    """The text of a result."""
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))


def show(text: str) -> None:
    """Print below the step's title."""
    for line in text.splitlines():
        print(textwrap.fill(line, WIDTH, initial_indent="   ", subsequent_indent="      "))


def show_failure(problem: Unexpected) -> None:
    """Print what a step should have shown, and what it did."""
    show(f"FAILED\nexpected: {problem.expected}\nobserved: {problem.observed}")

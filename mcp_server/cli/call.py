"""``tool call``: one call of one tool from the shell, with arguments coerced by the tool's own schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio

from mcp_server.cli.output import print_json
from mcp_server.cli.serve import find_folders, launched, settings_of
from mcp_server.errors import InvalidArguments
from mcp_server.exits import Exit
from mcp_server.host import PluginHost
from mcp_server.settings import user_folders
from mcp_server.tools.catalog import Tool
from mcp_server.tools.json_text import JsonProblem, parse
from mcp_server.tools.results import ToolResult

__all__ = ["call_tool"]

MAX_DEPTH = 128


def call_tool(
    name: str,
    words: list[str],
    input_json: str | None,
    manifests: list[Path] | None,
    plugins: list[Path] | None,
    config: Path | None,
    *,
    json: bool,
) -> int:
    """Call and print; the exit code."""
    settings, own = settings_of(config), user_folders()
    folders, launch = find_folders(manifests, plugins), launched(manifests, plugins, config)

    async def run() -> ToolResult:
        async with PluginHost(settings, folders, cache=own.cache, state=own.state, launch=launch) as host:
            arguments = _arguments(host.catalog.find(name), words, input_json)
            return await host.call_tool(name, arguments)

    result = anyio.run(run)
    if json:
        print_json({"content": result.content, "structured": result.structured, "is_error": result.is_error})
    else:
        for block in result.content:
            print(block["text"] if block["type"] == "text" else f"[{block['type']} {block.get('mimeType', '')}]")
    return Exit.TOOL_ERROR if result.is_error else 0


def _arguments(tool: Tool, words: list[str], input_json: str | None) -> Any:
    if input_json is not None:
        text = sys.stdin.read() if input_json == "-" else input_json
        arguments = _parse("--input", text)
    else:
        arguments = {}
    properties: dict[str, Any] = tool.input.source.get("properties", {})
    for word in words:
        key, separator, text = word.partition("=")
        if not separator or not isinstance(arguments, dict):
            raise InvalidArguments(f"'{word}' is not KEY=VALUE", fix=f"agentmem-mcp tool call {tool.name} key=value")
        arguments[key] = _coerce(key, text, properties.get(key, {}))
    return arguments  # pyright: ignore[reportUnknownVariableType]  # JSON


def _coerce(key: str, text: str, schema: Any) -> Any:
    """A string where the schema takes one, else the JSON value that ``text`` spells."""
    kinds = schema.get("type") if isinstance(schema, dict) else None  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]  # JSON
    if kinds is None or kinds == "string" or (isinstance(kinds, list) and "string" in kinds):
        return text
    return _parse(key, text)


def _parse(what: str, text: str) -> Any:
    try:
        return parse(text, MAX_DEPTH)
    except JsonProblem as problem:
        raise InvalidArguments(f"{what} is {problem}", fix="quote the JSON for the shell") from None

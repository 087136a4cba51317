"""The example for Claude Desktop starts a server, as it stands but for the paths to fill in."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "claude_desktop_config.example.json"
PLACEHOLDER = "/ABSOLUTE/PATH/TO/"
BIN = Path(sys.executable).parent


def entry(name: str) -> dict[str, Any]:
    """An entry with its paths filled in: the environment of this run stands in for ``.venv``."""
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace(f"{PLACEHOLDER}agentmem-mcp/.venv/bin", str(BIN))
    return json.loads(text.replace(f"{PLACEHOLDER}agentmem-mcp", str(ROOT)))["mcpServers"][name]


async def tools_of(command: str, arguments: list[str], environment: dict[str, str], home: Path) -> set[str]:
    """What a client sees that starts the command as Claude Desktop does: short PATH, foreign folder."""
    short = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "AGENTMEM_HOME": str(home)}
    parameters = StdioServerParameters(command=command, args=arguments, env={**short, **environment}, cwd="/")
    async with Client(stdio_client(parameters)) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


@requirement("clients:claude-desktop")
async def test_the_entry_for_a_checkout_serves_the_tools(cache: Path) -> None:
    filled = entry("agentmem")
    tools = await tools_of(filled["command"], filled["args"], filled["env"], cache)
    assert {"hello__hello", "memory-processor__extract_keywords"} <= tools


@requirement("clients:claude-desktop")
async def test_the_entry_for_uvx_names_a_command_of_this_package(cache: Path) -> None:
    filled = entry("agentmem-with-uvx")
    option, source, command, *arguments = filled["args"]
    assert (option, source) == ("--from", str(ROOT))
    tools = await tools_of(str(BIN / command), arguments, filled["env"], cache)
    assert {"hello__hello", "memory-processor__extract_keywords"} <= tools


@requirement("clients:claude-desktop")
@pytest.mark.parametrize("name", ["agentmem", "agentmem-with-uvx"])
def test_an_entry_has_only_what_claude_desktop_reads_and_absolute_paths(name: str) -> None:
    filled = json.loads(EXAMPLE.read_text(encoding="utf-8"))["mcpServers"][name]
    assert set(filled) == {"command", "args", "env"}
    assert filled["command"].startswith(PLACEHOLDER)
    assert all(word.startswith(PLACEHOLDER) for word in filled["args"] if "/" in word)

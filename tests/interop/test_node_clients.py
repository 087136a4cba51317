"""Clients that other people wrote list and call the tools: the TypeScript SDKs and the MCP Inspector.

They need Node 22.19 and the packages of ``package.json``; ``make interop`` installs both and runs these tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import requirement

pytestmark = pytest.mark.interop

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SERVE = [sys.executable, "-m", "mcp_server", "serve"]
FOLDERS = ["--manifests", str(ROOT / "manifests"), "--plugins", str(ROOT / "plugins")]
OWN = ("add", "delete", "get", "list", "search", "update")
HELD_BACK = {"llm"}
"""It requires a right that nobody granted."""


def shipped() -> Iterator[str]:
    """The tools of the plugins in the checkout, as their manifests name them."""
    for path in (ROOT / "manifests").glob("*/plugin.toml"):
        if path.parent.name not in HELD_BACK:
            for tool in tomllib.loads(path.read_text(encoding="utf-8"))["tools"]:
                yield f"{path.parent.name}__{tool.get('name') or tool['function']}"


TOOLS = sorted([*shipped(), *(f"memory__{word}" for word in OWN)])


def node(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "AGENTMEM_HOME": str(home)}  # noqa: TID251  # a test's
    command = ["node", *arguments]
    return subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=50)


def session(home: Path, client: str, mode: str) -> dict[str, Any]:
    result = node(home, "session.mjs", client, mode, *SERVE, *FOLDERS)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def inspect(home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    environment = ["-e", f"AGENTMEM_HOME={home}"]  # the Inspector hands on little of its own
    result = node(home, "node_modules/.bin/mcp-inspector", "--cli", *environment, *SERVE, *FOLDERS, *arguments)
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


@requirement("interop:typescript")
@pytest.mark.parametrize(("client", "mode"), [("v1", "legacy"), ("v2", "legacy"), ("v2", "auto"), ("v2", "modern")])
def test_a_typescript_client_lists_and_calls_the_tools_in_every_era(cache: Path, client: str, mode: str) -> None:
    told = session(cache, client, mode)
    assert told["server"]["name"] == "agentmem-mcp"
    assert [tool["name"] for tool in told["tools"]] == TOOLS
    assert told["greeting"]["structuredContent"] == {"greeting": "Hello, World!"}
    assert told["keywords"]["structuredContent"]["keywords"][0]["keyword"] == "sandbox"
    assert told["refused"]["isError"] is True
    assert told["refused"]["_meta"]["agentmem/error"]["code"] == "invalid_arguments"
    assert told["unknown"]["code"] == -32602


@requirement("interop:inspector")
def test_the_inspector_lists_the_tools(cache: Path) -> None:
    status, listed = inspect(cache, "--method", "tools/list")
    assert status == 0
    assert [tool["name"] for tool in listed["tools"]] == TOOLS


@requirement("interop:inspector")
def test_the_inspector_calls_a_tool(cache: Path) -> None:
    call = ["--method", "tools/call", "--tool-name", "hello__hello"]
    status, result = inspect(cache, *call, "--tool-arg", "message=World")
    assert (status, result["structuredContent"]) == (0, {"greeting": "Hello, World!"})


@requirement("interop:inspector")
def test_the_inspector_sees_a_tool_error_as_one(cache: Path) -> None:
    call = ["--method", "tools/call", "--tool-name", "hello__hello"]
    status, result = inspect(cache, *call, "--tool-arg", "mesage=World")
    assert status == 5
    assert result["isError"] is True

"""The bundle for Claude Desktop, unpacked and started elsewhere, and the entry of the registry."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.clients.test_commands import answer, run
from tests.guests import ECHO, answers, module, write_plugin
from tests.requirements import requirement

SCHEMA = Path(__file__).with_name("schemas") / "server.schema.json"
SCHEMAS = '[[tools]]\nfunction = "echo"\ndescription = "Says it again"\ninput_schema = "schemas/in.json"'


@pytest.fixture
def packed(tmp_path: Path, plugins: Path) -> Path:
    """A bundle of two plugins of three; the third does not load."""
    folder = write_plugin(plugins, "echo", module(ECHO), SCHEMAS)
    (folder / "schemas").mkdir()
    (folder / "schemas" / "in.json").write_text('{"type": "object"}')
    write_plugin(plugins, "fixed", answers("hi"))
    write_plugin(plugins, "broken", b"no module")
    made = answer(tmp_path, "mcpb", "--plugins", plugins, "-o", "out.mcpb")
    path = tmp_path / "out.mcpb"
    data = path.read_bytes()
    assert made["file"] == str(path)
    assert (made["bytes"], made["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    return path


@requirement("clients:bundle")
async def test_the_server_runs_from_the_unpacked_bundle_with_its_plugins(packed: Path, tmp_path: Path) -> None:
    here = tmp_path / "un packed"
    with zipfile.ZipFile(packed) as bundle:
        bundle.extractall(here)  # our own
    manifest = json.loads((here / "manifest.json").read_text())
    entry = manifest["server"]["entry_point"]
    environment = {"PATH": "/usr/bin:/bin", "AGENTMEM_HOME": str(tmp_path / "home"), "AGENTMEM_LOG__LEVEL": "error"}
    parameters = StdioServerParameters(command=sys.executable, args=[str(here / entry)], env=environment, cwd="/")
    async with Client(stdio_client(parameters)) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        called = await client.call_tool("echo__echo", {"from": "the bundle"})
    assert called.structured_content == {"from": "the bundle"}
    assert tools == {tool["name"] for tool in manifest["tools"]}
    assert "fixed__run" in tools


@requirement("clients:bundle")
def test_a_bundle_holds_what_loads_and_is_the_same_twice(packed: Path, tmp_path: Path, plugins: Path) -> None:
    names = zipfile.ZipFile(packed).namelist()
    assert names == sorted(names)
    assert [name for name in names if name.startswith("plugins/")] == [
        "plugins/echo/echo.wasm",
        "plugins/echo/plugin.toml",
        "plugins/echo/schemas/in.json",
        "plugins/fixed/fixed.wasm",
        "plugins/fixed/plugin.toml",
    ]
    assert "server/mcp_server/LICENSE" in names
    assert not [name for name in names if "__pycache__" in name or "/examples/" in name]
    again = answer(tmp_path, "mcpb", "--plugins", plugins, "-o", "again.mcpb")
    assert again["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()


@requirement("clients:bundle")
def test_plugins_lie_apart_from_their_manifests_and_are_chosen_by_id(tmp_path: Path) -> None:
    (tmp_path / "manifests" / "echo").mkdir(parents=True)
    write_plugin(tmp_path / "plugins", "echo", module(ECHO))
    write_plugin(tmp_path / "plugins", "other", module(ECHO))
    (tmp_path / "plugins/echo/plugin.toml").rename(tmp_path / "manifests/echo/plugin.toml")
    answer(tmp_path, "mcpb", "echo", "-o", "out.mcpb")
    names = zipfile.ZipFile(tmp_path / "out.mcpb").namelist()
    assert [name for name in names if name.startswith("plugins/")] == [
        "plugins/echo/echo.wasm",
        "plugins/echo/plugin.toml",
    ]


@requirement("clients:bundle")
def test_a_bundle_of_nothing_and_of_what_does_not_load_is_refused(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "broken", b"no module")
    folders = ("--plugins", plugins)
    assert run(tmp_path, "mcpb", *folders).stderr.startswith("error[plugin_not_found]: no plugin loads")
    assert run(tmp_path, "mcpb", "broken", *folders).stderr.startswith("error[module_invalid]")
    assert run(tmp_path, "mcpb", "unknown", *folders).returncode == 2
    write_plugin(plugins, "echo", module(ECHO))
    assert "cannot be written" in run(tmp_path, "mcpb", *folders, "-o", tmp_path / "no" / "folder.mcpb").stderr
    assert not list(tmp_path.rglob("*.mcpb"))


def entry_of(home: Path, *words: str | Path) -> dict[str, Any]:
    result = run(home, "server-json", "--name", "io.github.somebody/agentmem", *words)
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


@requirement("clients:registry")
def test_the_entry_of_the_registry_fits_its_schema(tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    judge = jsonschema_rs.validator_for(schema)
    plain = entry_of(tmp_path)
    judge.validate(plain)
    assert plain["$schema"] == schema["$id"]
    bundle = tmp_path / "a.mcpb"
    bundle.write_bytes(b"bytes")
    url = "https://github.com/somebody/agentmem/releases/download/v1/a.mcpb"
    places = ("--repository", "https://github.com/somebody/agentmem", "--remote", "https://mcp.example.com/mcp")
    whole = entry_of(tmp_path, *places, "--mcpb", bundle, "--mcpb-url", url)
    judge.validate(whole)
    assert whole["packages"][1]["fileSha256"] == hashlib.sha256(b"bytes").hexdigest()
    assert whole["remotes"][0]["url"] == "https://mcp.example.com/mcp"
    assert not judge.is_valid({**whole, "name": "no namespace"})


@requirement("clients:registry")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "agentmem"], "is not NAMESPACE/NAME"),
        (["--name", "a/b", "--mcpb", "x.mcpb"], "go together"),
        (["--name", "a/b", "--mcpb", "x.mcpb", "--mcpb-url", "https://a/b"], "cannot be read"),
        ([], "Missing option"),
    ],
)
def test_an_entry_that_cannot_be_made_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    result = run(tmp_path, "server-json", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr

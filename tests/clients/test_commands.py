"""``install`` and ``uninstall`` as a shell runs them, and the server as a client then starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.canary import placed, slot
from tests.guests import ECHO, module, write_plugin
from tests.requirements import requirement

LINUX_PLACES = {
    "claude-desktop": ".config/Claude/claude_desktop_config.json",
    "claude-code": ".claude.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".config/Code/User/mcp.json",
    "windsurf": ".codeium/windsurf/mcp_config.json",
    "gemini": ".gemini/settings.json",
}


def run(home: Path, *words: str | Path, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a home folder of its own."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AGENTMEM_HOME": str(home / "own"), **more}  # noqa: TID251  # a test's
    command = [sys.executable, "-m", "mcp_server", *words]
    return subprocess.run(command, cwd=cwd or home, env=environment, capture_output=True, text=True)


def answer(home: Path, *words: str | Path, cwd: Path | None = None) -> dict[str, Any]:
    result = run(home, *words, "--json", cwd=cwd)
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


@requirement("clients:install")
@pytest.mark.skipif(sys.platform != "linux", reason="the places are those of Linux")
@pytest.mark.parametrize("client", LINUX_PLACES)
def test_each_client_gets_its_entry_and_loses_it_again(tmp_path: Path, client: str) -> None:
    made = answer(tmp_path, "install", client)
    path = tmp_path / LINUX_PLACES[client]
    assert (made["file"], made["changed"], made["backup"]) == (str(path), True, None)
    document = json.loads(path.read_text())
    (key,) = document
    entry = document[key]["agentmem"]
    assert key == ("servers" if client == "vscode" else "mcpServers")
    assert Path(entry["command"]).is_absolute()
    assert Path(entry["command"]).is_file()
    assert entry["env"] == {"AGENTMEM_HOME": str(tmp_path / "own")}
    assert ("type" in entry) == (client in ("vscode", "claude-code"))
    assert answer(tmp_path, "install", client)["changed"] is False
    assert answer(tmp_path, "uninstall", client)["backup"] == f"{path}.agentmem.bak"
    assert json.loads(path.read_text()) == {key: {}}
    assert answer(tmp_path, "uninstall", client)["changed"] is False


@requirement("clients:install")
async def test_a_client_starts_the_server_from_what_was_written(tmp_path: Path, plugins: Path) -> None:
    write_plugin(plugins, "echo", module(ECHO))
    config = tmp_path / "config.toml"
    config.write_text('[log]\nlevel = "error"\n')
    words = ("--plugins", "plugins", "--config", "config.toml", "--set", "memory.tools=false", "--watch")
    answer(tmp_path, "install", "json", *words, cwd=tmp_path)
    made = run(tmp_path, "install", "cursor", *words, "--env", "AGENTMEM_LOG__FORMAT=json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    entry = json.loads((tmp_path / ".cursor/mcp.json").read_text())["mcpServers"]["agentmem"]
    assert entry["args"][-8:] == [
        "serve",
        *("--plugins", str(plugins), "--config", str(config), "--set", "memory.tools=false", "--watch"),
    ]
    short = {"PATH": "/usr/bin:/bin", **entry["env"]}
    parameters = StdioServerParameters(command=entry["command"], args=entry["args"], env=short, cwd="/")
    async with Client(stdio_client(parameters)) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["echo__echo"]


@requirement("clients:install")
def test_folders_of_the_working_directory_go_into_the_entry_as_a_command_would_use_them(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    entry = answer(tmp_path, "install", "json", "--name", "mine")["mcpServers"]["mine"]
    assert entry["args"][-3:] == ["serve", "--plugins", str(tmp_path / "plugins")]


@requirement("clients:install")
def test_a_dry_run_shows_the_difference_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    text = json.dumps(
        {"mcpServers": {"other": {"command": "/o", "env": {"K": slot("client configuration")}}}}, indent=2
    )
    placed(path).write_text(text)
    result = run(tmp_path, "install", "cursor", "--file", path, "--dry-run")
    assert result.returncode == 0
    assert '+    "agentmem": {' in result.stdout
    assert "nothing was written" in result.stdout
    assert path.read_text() == text
    assert not list(tmp_path.glob("*.bak"))


@requirement("clients:install")
def test_a_project_gets_its_own_file_unless_that_leads_elsewhere(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    assert answer(tmp_path, "install", "vscode", "--project", cwd=project)["file"] == f"{project}/.vscode/mcp.json"
    (project / ".cursor").symlink_to(elsewhere)
    refused = run(tmp_path, "install", "cursor", "--project", cwd=project)
    assert (refused.returncode, list(elsewhere.iterdir())) == (2, [])
    assert "is a link out of this folder" in refused.stderr


@requirement("clients:bad-file")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["install", "curser"], "did you mean 'cursor'"),
        (["uninstall", "json"], "'json' is no client"),
        (["install", "claude-desktop", "--project"], "reads no file of a project"),
        (["install", "cursor", "--plugins", "nowhere"], "there is no folder"),
        (["install", "cursor", "--config", "nowhere.toml"], "there is no file"),
        (["install", "cursor", "--env", "word"], "is not NAME=VALUE"),
        (["install", "cursor", "--set", "word"], "is not SECTION.KEY=VALUE"),
    ],
)
def test_what_cannot_be_installed_writes_nothing_and_exits_with_2(tmp_path: Path, words: list[str], said: str) -> None:
    result = run(tmp_path, *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert "fix: " in result.stderr
    assert list(tmp_path.iterdir()) == []

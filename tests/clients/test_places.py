"""Where clients keep their files, on three systems of which two are not here."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from mcp_server.clients.errors import ClientConfigError
from mcp_server.clients.places import CLIENTS, Machine, find_client, project_place, user_places
from tests.requirements import requirement

MAC = Machine("Darwin", {"APPDATA": "C:\\never", "XDG_CONFIG_HOME": "/never"}, "/Users/ann")
WINDOWS = Machine(
    "Windows",
    {"APPDATA": "C:\\Users\\ann\\AppData\\Roaming", "LOCALAPPDATA": "C:\\Users\\ann\\AppData\\Local"},
    "C:\\Users\\ann",
)
LINUX = Machine("Linux", {}, "/home/ann")
SUPPORT = "/Users/ann/Library/Application Support"
ROAMING = "C:\\Users\\ann\\AppData\\Roaming"


@requirement("clients:places")
@pytest.mark.parametrize(
    ("client", "mac", "windows", "linux"),
    [
        (
            "claude-desktop",
            f"{SUPPORT}/Claude/claude_desktop_config.json",
            f"{ROAMING}\\Claude\\claude_desktop_config.json",
            "/home/ann/.config/Claude/claude_desktop_config.json",
        ),
        ("claude-code", "/Users/ann/.claude.json", "C:\\Users\\ann\\.claude.json", "/home/ann/.claude.json"),
        ("cursor", "/Users/ann/.cursor/mcp.json", "C:\\Users\\ann\\.cursor\\mcp.json", "/home/ann/.cursor/mcp.json"),
        (
            "vscode",
            f"{SUPPORT}/Code/User/mcp.json",
            f"{ROAMING}\\Code\\User\\mcp.json",
            "/home/ann/.config/Code/User/mcp.json",
        ),
        (
            "windsurf",
            "/Users/ann/.codeium/windsurf/mcp_config.json",
            "C:\\Users\\ann\\.codeium\\windsurf\\mcp_config.json",
            "/home/ann/.codeium/windsurf/mcp_config.json",
        ),
        (
            "gemini",
            "/Users/ann/.gemini/settings.json",
            "C:\\Users\\ann\\.gemini\\settings.json",
            "/home/ann/.gemini/settings.json",
        ),
    ],
)
def test_each_client_has_its_place_on_each_system(client: str, mac: str, windows: str, linux: str) -> None:
    known = find_client(client)
    shown = [str(user_places(known, machine)[-1]) for machine in (MAC, WINDOWS, LINUX)]
    assert shown == [mac, windows, linux]


@requirement("clients:places")
def test_the_packaged_claude_desktop_of_windows_comes_before_the_usual_place() -> None:
    packaged, usual = user_places(CLIENTS["claude-desktop"], WINDOWS)
    assert str(packaged) == (
        "C:\\Users\\ann\\AppData\\Local\\Packages\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming"
        "\\Claude\\claude_desktop_config.json"
    )
    assert usual.name == packaged.name


@requirement("clients:places")
def test_variables_move_the_places_when_they_name_absolute_folders() -> None:
    machine = Machine("Linux", {"XDG_CONFIG_HOME": "/etc/ann", "CLAUDE_CONFIG_DIR": "relative"}, "/home/ann")
    assert str(user_places(CLIENTS["vscode"], machine)[0]) == "/etc/ann/Code/User/mcp.json"
    assert str(user_places(CLIENTS["claude-code"], machine)[0]) == "/home/ann/.claude.json"
    moved = Machine("Windows", {"CLAUDE_CONFIG_DIR": "D:\\claude"}, "C:\\Users\\ann")
    assert str(user_places(CLIENTS["claude-code"], moved)[0]) == "D:\\claude\\.claude.json"
    bare = Machine("Windows", {}, "C:\\Users\\ann")
    assert str(user_places(CLIENTS["vscode"], bare)[0]) == f"{ROAMING}\\Code\\User\\mcp.json"


@requirement("clients:places")
def test_a_project_has_files_of_those_clients_that_read_one() -> None:
    folder = PurePosixPath("/home/ann/thing")
    places = {name: str(project_place(client, folder)) for name, client in CLIENTS.items() if client.project}
    assert places == {
        "claude-code": "/home/ann/thing/.mcp.json",
        "cursor": "/home/ann/thing/.cursor/mcp.json",
        "vscode": "/home/ann/thing/.vscode/mcp.json",
        "gemini": "/home/ann/thing/.gemini/settings.json",
    }
    with pytest.raises(ClientConfigError, match="Claude Desktop reads no file of a project"):
        project_place(CLIENTS["claude-desktop"], folder)


def test_a_client_that_is_misspelt_is_suggested() -> None:
    with pytest.raises(ClientConfigError, match="did you mean 'cursor'"):
        find_client("curser")

"""Where each client reads its servers from: rules over a system's name and its environment, nothing is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from mcp_server.clients.errors import ClientConfigError
from mcp_server.problems import did_you_mean

__all__ = ["CLIENTS", "Client", "Machine", "find_client", "project_place", "user_places"]


@dataclass(frozen=True, slots=True)
class Client:
    """One client.

    Attributes:
        id: On our command line.
        title: As its makers write it.
        key: The object that holds its servers.
        typed: Whether an entry says ``"type": "stdio"``.
        project: Its file below a project folder; empty where it has none.
        restart: What makes it read the file again.
    """

    id: str
    title: str
    key: str
    typed: bool
    project: str
    restart: str


CLIENTS: Mapping[str, Client] = {
    client.id: client
    for client in (
        Client("claude-desktop", "Claude Desktop", "mcpServers", False, "", "quit Claude Desktop and open it again"),
        Client("claude-code", "Claude Code", "mcpServers", True, ".mcp.json", "start a new session of Claude Code"),
        Client("cursor", "Cursor", "mcpServers", False, ".cursor/mcp.json", "look at Settings > MCP in Cursor"),
        Client("vscode", "VS Code", "servers", True, ".vscode/mcp.json", "run `MCP: List Servers` in VS Code"),
        Client("windsurf", "Windsurf", "mcpServers", False, "", "refresh the MCP servers in Windsurf's settings"),
        Client("gemini", "Gemini CLI", "mcpServers", False, ".gemini/settings.json", "start a new session of gemini"),
    )
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What the rules depend on.

    Attributes:
        system: As ``platform.system()`` says: ``Darwin``, ``Windows`` or ``Linux``; any other counts as Linux.
        environment: Its variables.
        home: Of the user.
    """

    system: str
    environment: Mapping[str, str]
    home: str

    def at(self, variable: str, *default: str) -> PurePath:
        """The folder that ``variable`` names if it is absolute, else ``default`` below the home folder."""
        flavour = PureWindowsPath if self.system == "Windows" else PurePosixPath
        named = flavour(self.environment.get(variable, ""))
        return named if named.is_absolute() else flavour(self.home, *default)

    @property
    def application_data(self) -> PurePath:
        """Where graphical programs keep their settings."""
        match self.system:
            case "Windows":
                return self.at("APPDATA", "AppData", "Roaming")
            case "Darwin":
                return self.at("", "Library", "Application Support")
            case _:
                return self.at("XDG_CONFIG_HOME", ".config")


STORE_PACKAGE = "Claude_pzs8sxrjxfjjc"
"""The installed package whose view of the user's settings Windows keeps apart (anthropics/claude-code#70393)."""


def find_client(name: str) -> Client:
    """The client of that id.

    Raises:
        ClientConfigError: There is none.
    """
    if name not in CLIENTS:
        known = ", ".join([*CLIENTS, "json"])
        raise ClientConfigError(
            f"'{name}' is no client that is known here{did_you_mean(name, tuple(CLIENTS))}",
            fix=f"name one of {known}; json prints the entry for any other",
        )
    return CLIENTS[name]


def user_places(client: Client, machine: Machine) -> tuple[PurePath, ...]:
    """The user's file of ``client``; where there may be several, the first whose folder exists, else the last."""
    match client.id:
        case "claude-desktop":
            usual = machine.application_data / "Claude" / "claude_desktop_config.json"
            if machine.system != "Windows":
                return (usual,)
            packages = machine.at("LOCALAPPDATA", "AppData", "Local") / "Packages" / STORE_PACKAGE
            return packages / "LocalCache" / "Roaming" / "Claude" / usual.name, usual
        case "claude-code":
            return (machine.at("CLAUDE_CONFIG_DIR") / ".claude.json",)
        case "cursor":
            return (machine.at("") / ".cursor" / "mcp.json",)
        case "vscode":
            return (machine.application_data / "Code" / "User" / "mcp.json",)
        case "windsurf":
            return (machine.at("") / ".codeium" / "windsurf" / "mcp_config.json",)
        case _:
            return (machine.at("") / ".gemini" / "settings.json",)


def project_place(client: Client, folder: PurePath) -> PurePath:
    """The file of ``client`` in a project.

    Raises:
        ClientConfigError: It reads none there.
    """
    if not client.project:
        raise ClientConfigError(
            f"{client.title} reads no file of a project", fix=f"agentmem-mcp install {client.id}, without --project"
        )
    return folder / client.project

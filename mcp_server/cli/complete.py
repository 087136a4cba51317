"""What the shell offers for an argument: clients, plugins, tools. Never fails and never speaks: a prompt waits.

Manifests alone are read, no module: what is offered may turn out to be held back.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from typer import Context  # by which typer knows what to hand over

__all__ = ["client_names", "plugin_ids", "print_script", "tool_names"]

MOST = 1_000
SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
SEPARATOR = "__"


def print_script(shell: str) -> None:
    """Print the script that the shell is to read.

    Raises:
        SettingsError: There is none for that shell.
    """
    from typer import _completion_shared  # pyright: ignore[reportPrivateUsage]  # what --show-completion prints

    from mcp_server.errors import SettingsError

    if shell not in SHELLS:
        raise SettingsError(f"'{shell}' is no shell that is known here", fix=f"name one of {', '.join(SHELLS)}")
    print(
        _completion_shared.get_completion_script(
            prog_name="agentmem-mcp", complete_var="_AGENTMEM_MCP_COMPLETE", shell=shell
        )
    )


def client_names(incomplete: str) -> list[str]:
    """The clients that can be named."""
    from mcp_server.clients.places import CLIENTS

    return [name for name in (*CLIENTS, "json") if name.startswith(incomplete)]


def plugin_ids(ctx: Context, incomplete: str) -> list[tuple[str, str]]:
    """The plugins that are found, each with its name."""
    found = {plugin: str(document["plugin"].get("name", "")) for plugin, document in _manifests(ctx)}
    return [(plugin, name) for plugin, name in sorted(found.items()) if plugin.startswith(incomplete)]


def tool_names(ctx: Context, incomplete: str) -> list[str]:
    """The tools that manifests name."""
    found = {
        f"{plugin}{SEPARATOR}{tool.get('name') or tool.get('function', '')}"
        for plugin, document in _manifests(ctx)
        for tool in cast("list[dict[str, Any]]", document.get("tools", []))
    }
    return sorted(name for name in found if name.startswith(incomplete))


def _manifests(ctx: Context) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each manifest that can be read, with the plugin's id."""
    from mcp_server.cli.serve import find_folders

    folders = find_folders(ctx.params.get("manifests"), ctx.params.get("plugins"))
    paths = [path for root in folders.roots for path in (Path(root) / "plugin.toml", *Path(root).glob("*/plugin.toml"))]
    for path in paths[:MOST]:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            yield str(document["plugin"]["id"]), document
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue

"""The verbs that connect clients: ``install``, ``uninstall``, ``mcpb``, ``server-json``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.complete import client_names, plugin_ids
from mcp_server.cli.options import Config, Json, Manifests, Plugins, Set

__all__ = ["install", "mcpb", "server_json", "uninstall"]

ClientName = Annotated[
    str,
    typer.Argument(
        metavar="CLIENT",
        help="claude-desktop, claude-code, cursor, vscode, windsurf, gemini, or json for any other.",
        autocompletion=client_names,
    ),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="What the server is called in the client.")]
InProject = Annotated[bool, typer.Option("--project", help="In the client's file of this folder, not the user's.")]
File = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="The client's file, where it is another.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")]


def install(
    client: ClientName,
    name: Name = "agentmem",
    project: InProject = False,
    file: File = None,
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    sets: Set = None,
    watch: Annotated[bool, typer.Option("--watch", help="Let the server pick up changed plugins.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Let it start only with what was approved.")] = False,
    variables: Annotated[
        list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="A variable for the server; repeatable.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Let a client start this server: write the entry into its configuration."""
    from mcp_server.cli.install import Serving, Where, install_server

    serving = Serving(manifests or (), plugins or (), config, sets or (), watch, locked, variables or ())
    install_server(client, Where(name, project, file), serving, dry_run=dry_run, json=json)


def uninstall(
    client: ClientName,
    name: Name = "agentmem",
    project: InProject = False,
    file: File = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Take this server out of a client's configuration."""
    from mcp_server.cli.install import Where, uninstall_server

    uninstall_server(client, Where(name, project, file), dry_run=dry_run, json=json)


def mcpb(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLUGIN", help="Only these; all that load when omitted.", autocompletion=plugin_ids),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Replaced as a whole.")] = Path(
        "agentmem-mcp.mcpb"
    ),
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Pack this server and its plugins as a bundle that Claude Desktop installs."""
    from mcp_server.cli.mcpb import make_bundle

    make_bundle(output, ids or [], manifests, plugins, config, json=json)


def server_json(
    name: Annotated[str, typer.Option("--name", metavar="NAMESPACE/NAME", help="As io.github.YOU/agentmem.")],
    repository: Annotated[str, typer.Option("--repository", metavar="URL", help="Where its sources are.")] = "",
    bundle: Annotated[Path | None, typer.Option("--mcpb", metavar="FILE", help="A bundle to offer, too.")] = None,
    address: Annotated[str, typer.Option("--mcpb-url", metavar="URL", help="Where that bundle is fetched.")] = "",
    remote: Annotated[str, typer.Option("--remote", metavar="URL", help="Where it is served over HTTP.")] = "",
) -> None:
    """Print the server.json with which the MCP registry lists this server."""
    from mcp_server.cli.mcpb import print_registry_entry

    print_registry_entry(name, repository, bundle, address, remote)

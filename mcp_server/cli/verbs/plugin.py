"""The verbs of ``agentmem-mcp plugin``: what is found, what it may do, what is approved."""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_server.cli.options import Capabilities, Config, Json, Manifests, Plugins, Project

__all__ = ["app"]

app = typer.Typer(help="Look at the plugins that are found, and grant them rights.", no_args_is_help=True)


@app.command("list")
def plugin_list(
    manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """List every plugin that is found, also those held back."""
    from mcp_server.cli.look import list_plugins

    list_plugins(manifests, plugins, config, json=json)


@app.command("show")
def plugin_show(
    plugin: str, manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """Show one plugin: its rights, limits, module and tools, or why it is held back."""
    from mcp_server.cli.look import show_plugin

    show_plugin(plugin, manifests, plugins, config, json=json)


@app.command("approve")
def plugin_approve(
    ids: Annotated[list[str] | None, typer.Argument(metavar="PLUGIN")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every plugin that is found.")] = False,
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Approve plugins as they are now: module, manifest, tools and grants."""
    from mcp_server.cli.approve import approve_plugins

    approve_plugins(ids or [], manifests, plugins, config, everything=everything, json=json)


@app.command("pending")
def plugin_pending(
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    locked: Annotated[bool, typer.Option("--locked", help="Judge as `serve --locked` would.")] = False,
    json: Json = False,
) -> None:
    """Show which plugins wait for an approval, and what changed."""
    from mcp_server.cli.approve import show_pending

    show_pending(manifests, plugins, config, locked=locked, json=json)


@app.command("stats")
def plugin_stats(json: Json = False) -> None:
    """Show calls, outcomes, times and memory of the running server, or of the last one."""
    from mcp_server.cli.look import show_stats

    show_stats(json=json)


@app.command("grant")
def plugin_grant(
    plugin: Annotated[str, typer.Argument(help="Its id.")],
    capabilities: Capabilities = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="PATTERN", help="URLs it may use, as in docs/network.md; repeatable."),
    ] = None,
    folder: Annotated[
        list[str] | None,
        typer.Option("--folder", metavar="NAME=PATH[:read|write]", help="A folder it may use; repeatable."),
    ] = None,
    range_: Annotated[
        list[str] | None, typer.Option("--range", metavar="CIDR", help="Private addresses it may reach; repeatable.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="NAME=PATTERN", help="URLs a secret may be sent to; repeatable."),
    ] = None,
    quota_mb: Annotated[int | None, typer.Option("--quota-mb", metavar="MIB", help="Stored values, at most.")] = None,
    deny: Annotated[bool, typer.Option("--deny", help="Withhold capabilities and hosts, whatever is granted.")] = False,
    project: Project = False,
    config: Config = None,
) -> None:
    """Grant a plugin rights, in the configuration file."""
    from mcp_server.cli.grants import grant_rights, wanted_rights

    wanted = wanted_rights(capabilities, host, folder, range_, secret, quota_mb, deny=deny)
    grant_rights(plugin, wanted, project=project, config=config)


@app.command("revoke")
def plugin_revoke(
    plugin: Annotated[str, typer.Argument(help="Its id.")],
    capabilities: Capabilities = None,
    project: Project = False,
    config: Config = None,
) -> None:
    """Take rights from a plugin, all that were granted when none is named."""
    from mcp_server.cli.grants import revoke_rights

    revoke_rights(plugin, capabilities or [], project=project, config=config)


@app.command("grants")
def plugin_grants(
    plugin: Annotated[str | None, typer.Argument(help="Only of this plugin.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show what is granted and denied, and where that stands."""
    from mcp_server.cli.grants import list_grants

    list_grants(plugin, config, json=json)

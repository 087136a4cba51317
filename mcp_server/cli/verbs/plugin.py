"""The verbs of ``agentmem-mcp plugin``: what is found, what it may do, what is approved."""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_server.cli.complete import plugin_ids
from mcp_server.cli.options import Capabilities, Config, Json, Manifests, Plugins, Project

__all__ = ["app"]

PluginId = Annotated[str, typer.Argument(metavar="PLUGIN", help="Its id.", autocompletion=plugin_ids)]

app = typer.Typer(help="See, manage and approve plugins, and grant them rights.", no_args_is_help=True)


@app.command("list")
def plugin_list(
    manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """List every plugin that is found, also those held back."""
    from mcp_server.cli.look import list_plugins

    list_plugins(manifests, plugins, config, json=json)


@app.command("show")
def plugin_show(
    plugin: PluginId, manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """Show one plugin: its rights, limits, module and tools, or why it is held back."""
    from mcp_server.cli.look import show_plugin

    show_plugin(plugin, manifests, plugins, config, json=json)


@app.command("approve")
def plugin_approve(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="PLUGIN", help="Their ids.", autocompletion=plugin_ids)
    ] = None,
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
def plugin_stats(
    plugin: Annotated[str | None, typer.Argument(help="Only of this plugin.", autocompletion=plugin_ids)] = None,
    json: Json = False,
) -> None:
    """Show calls, outcomes, times and memory of the running server, or of the last one."""
    from mcp_server.cli.stats import show_stats

    show_stats(plugin, json=json)


@app.command("logs")
def plugin_logs(
    plugin: PluginId,
    count: Annotated[int, typer.Option("-n", min=1, max=100_000, help="At most so many, the newest.")] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each line that comes; with --json, an object a line.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what a plugin logged, in any server of this user."""
    from mcp_server.cli.plugin_log import follow_logs, show_logs

    (follow_logs if follow else show_logs)(plugin, count, as_json=json)


@app.command("enable")
def plugin_enable(
    plugin: PluginId, manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """Let a plugin run again that was disabled."""
    from mcp_server.cli.manage import Files, switch_plugin

    switch_plugin(plugin, Files(manifests, plugins, config), on=True, json=json)


@app.command("disable")
def plugin_disable(
    plugin: PluginId, manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """Keep a plugin from running, in every server and for good."""
    from mcp_server.cli.manage import Files, switch_plugin

    switch_plugin(plugin, Files(manifests, plugins, config), on=False, json=json)


def _operate(verb: str, what: str) -> None:
    """Add ``verb``, which a running server is asked for."""

    def operate(
        plugin: PluginId,
        manifests: Manifests = None,
        plugins: Plugins = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        from mcp_server.cli.manage import Files, operate_plugin

        raise typer.Exit(operate_plugin(plugin, verb, Files(manifests, plugins, config), json=json))

    app.command(verb, help=what)(operate)


_operate("start", "Let the running server load a plugin that is stopped or in Error.")
_operate("stop", "Let the running server take a plugin's tools away until it is started; calls under way end first.")
_operate("restart", "Let the running server load a plugin anew, with its crashes forgotten.")
_operate("reload", "Let the running servers look at the configuration and the plugin folders again.")


@app.command("grant")
def plugin_grant(
    plugin: PluginId,
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
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="ALIAS", help="A language model it may ask, by its alias; repeatable."),
    ] = None,
    hooks: Annotated[
        bool, typer.Option("--hooks", help="Let its hooks run: they see all memories of whoever calls.")
    ] = False,
    deny: Annotated[bool, typer.Option("--deny", help="Withhold capabilities and hosts, whatever is granted.")] = False,
    project: Project = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Grant a plugin rights, in the configuration file."""
    from mcp_server.cli.grants import grant_rights, wanted_rights

    wanted = wanted_rights(capabilities, host, folder, range_, secret, quota_mb, model, hooks=hooks, deny=deny)
    grant_rights(plugin, wanted, project=project, config=config, json=json)


@app.command("revoke")
def plugin_revoke(
    plugin: PluginId,
    capabilities: Capabilities = None,
    project: Project = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Take rights from a plugin, all that were granted when none is named."""
    from mcp_server.cli.grants import revoke_rights

    revoke_rights(plugin, capabilities or [], project=project, config=config, json=json)


@app.command("grants")
def plugin_grants(
    plugin: Annotated[str | None, typer.Argument(help="Only of this plugin.", autocompletion=plugin_ids)] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show what is granted and denied, and where that stands."""
    from mcp_server.cli.grants import list_grants

    list_grants(plugin, config, json=json)

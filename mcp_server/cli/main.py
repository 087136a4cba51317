"""The command ``agentmem-mcp``: its verbs, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mcp_server import __version__
from mcp_server.cli.options import Capabilities, Config, Json, Manifests, Plugins, Project, Set
from mcp_server.cli.output import fail, known, print_json
from mcp_server.errors import AgentMemError

__all__ = ["app", "main"]

app = typer.Typer(
    name="agentmem-mcp",
    help="Run WebAssembly plugins as MCP tools, behind walls.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
plugin_app = typer.Typer(help="Look at the plugins that are found, and grant them rights.", no_args_is_help=True)
config_app = typer.Typer(help="Look at the configuration, and trust folders.", no_args_is_help=True)
tool_app = typer.Typer(help="List and call tools without a client.", no_args_is_help=True)
cache_app = typer.Typer(help="The cache of compiled modules.", no_args_is_help=True)
audit_app = typer.Typer(help="The record of what plugins were allowed and did.", no_args_is_help=True)
memory_app = typer.Typer(help="Care for the memories.", no_args_is_help=True)
app.add_typer(plugin_app, name="plugin")
app.add_typer(config_app, name="config")
app.add_typer(tool_app, name="tool")
app.add_typer(cache_app, name="cache")
app.add_typer(audit_app, name="audit")
app.add_typer(memory_app, name="memory")


@app.command()
def serve(
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    watch: Annotated[bool, typer.Option("--watch", help="Pick up changed plugins while serving.")] = False,
    locked: Annotated[
        bool, typer.Option("--locked", help="Refuse to start unless every plugin is what was approved.")
    ] = False,
    sets: Set = None,
) -> None:
    """Serve MCP over stdin and stdout."""
    from mcp_server.cli.serve import serve_stdio

    serve_stdio(manifests, plugins, config, watch=watch, locked=locked, sets=sets or ())


@app.command()
def demo(manifests: Manifests = None, plugins: Plugins = None) -> None:
    """Start the real server, call real plugins, and show what the walls hold back."""
    from mcp_server.cli.demo import run_demo

    raise typer.Exit(run_demo(manifests, plugins))


@app.command()
def version(json: Json = False) -> None:
    """Print the version."""
    if json:
        from mcp_server.cli.serve import versions

        print_json(versions())
    else:
        print(f"agentmem-mcp {__version__}")


@plugin_app.command("list")
def plugin_list(
    manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """List every plugin that is found, also those held back."""
    from mcp_server.cli.look import list_plugins

    list_plugins(manifests, plugins, config, json=json)


@plugin_app.command("show")
def plugin_show(
    plugin: str, manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False
) -> None:
    """Show one plugin: its rights, limits, module and tools, or why it is held back."""
    from mcp_server.cli.look import show_plugin

    show_plugin(plugin, manifests, plugins, config, json=json)


@plugin_app.command("approve")
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


@plugin_app.command("pending")
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


@plugin_app.command("stats")
def plugin_stats(json: Json = False) -> None:
    """Show calls, outcomes, times and memory of the running server, or of the last one."""
    from mcp_server.cli.look import show_stats

    show_stats(json=json)


@plugin_app.command("grant")
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


@plugin_app.command("revoke")
def plugin_revoke(
    plugin: Annotated[str, typer.Argument(help="Its id.")],
    capabilities: Capabilities = None,
    project: Project = False,
    config: Config = None,
) -> None:
    """Take rights from a plugin, all that were granted when none is named."""
    from mcp_server.cli.grants import revoke_rights

    revoke_rights(plugin, capabilities or [], project=project, config=config)


@plugin_app.command("grants")
def plugin_grants(
    plugin: Annotated[str | None, typer.Argument(help="Only of this plugin.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show what is granted and denied, and where that stands."""
    from mcp_server.cli.grants import list_grants

    list_grants(plugin, config, json=json)


@config_app.command("show")
def config_show(
    origin: Annotated[bool, typer.Option("--origin", help="Also where each value came from.")] = False,
    config: Config = None,
    sets: Set = None,
    json: Json = False,
) -> None:
    """Print every value in force; secrets are never printed."""
    from mcp_server.cli.config import show_config

    show_config(config, sets or [], origin=origin, json=json)


@config_app.command("path")
def config_path(config: Config = None, json: Json = False) -> None:
    """Print the files that are looked at."""
    from mcp_server.cli.config import show_paths

    show_paths(config, json=json)


@config_app.command("trust")
def config_trust(
    folder: Annotated[Path | None, typer.Argument(help="The working directory when omitted.")] = None,
    config: Config = None,
) -> None:
    """Let the agentmem.toml of a folder grant rights."""
    from mcp_server.cli.config import trust_folder

    trust_folder(folder, config)


@tool_app.command("list")
def tool_list(manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False) -> None:
    """List every tool with its arguments."""
    from mcp_server.cli.look import list_tools

    list_tools(manifests, plugins, config, json=json)


@tool_app.command("call")
def tool_call(
    name: Annotated[str, typer.Argument(help="As `tool list` shows it: <plugin>__<function>.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE")] = None,
    input_json: Annotated[
        str | None, typer.Option("--input", metavar="JSON|-", help="All arguments; - is stdin.")
    ] = None,
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Call a tool once and print its result."""
    from mcp_server.cli.call import call_tool

    raise typer.Exit(call_tool(name, arguments or [], input_json, manifests, plugins, config, json=json))


@cache_app.command("clear")
def cache_clear(json: Json = False) -> None:
    """Remove all compiled code; it is made again at the next call."""
    from mcp_server.cli.look import clear_cache

    clear_cache(json=json)


@audit_app.command("show")
def audit_show(
    plugin: Annotated[str | None, typer.Option("--plugin", metavar="ID", help="Only this plugin's rows.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="WHEN", help="A time, or 30m, 2h, 7d ago.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="At most so many, the newest.")] = 50,
    json: Json = False,
) -> None:
    """Show what plugins were allowed and did."""
    from mcp_server.cli.audit import show_audit

    show_audit(plugin, since, count, json=json)


@audit_app.command("verify")
def audit_verify(json: Json = False) -> None:
    """Check that no row of the audit log was altered, removed or re-ordered."""
    from mcp_server.cli.audit import verify_audit

    raise typer.Exit(verify_audit(json=json))


@memory_app.command("reindex")
def memory_reindex(config: Config = None, json: Json = False) -> None:
    """Give vectors to memories that were stored without the embedding model that is configured now."""
    from mcp_server.cli.reindex import reindex

    reindex(config, json=json)


def main() -> None:
    """Run the command line; every failure is one sentence on stderr and an exit code."""
    wants_json = "--json" in sys.argv
    try:
        app()
    except AgentMemError as error:
        sys.exit(fail(error, as_json=wants_json))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  # the command line's main: nothing may leave as a traceback
        sys.exit(fail(known(error), as_json=wants_json))

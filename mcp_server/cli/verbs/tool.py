"""The verbs of ``agentmem-mcp tool``: tools without a client."""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_server.cli.complete import tool_names
from mcp_server.cli.options import Config, Json, Manifests, Plugins

__all__ = ["app"]

app = typer.Typer(help="List and call tools without a client.", no_args_is_help=True)


@app.command("list")
def tool_list(manifests: Manifests = None, plugins: Plugins = None, config: Config = None, json: Json = False) -> None:
    """List every tool with its arguments."""
    from mcp_server.cli.look import list_tools

    list_tools(manifests, plugins, config, json=json)


@app.command("call")
def tool_call(
    name: Annotated[
        str, typer.Argument(help="As `tool list` shows it: <plugin>__<function>.", autocompletion=tool_names)
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its arguments, read as its schema says.")
    ] = None,
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

"""The verbs of ``agentmem-mcp memory``: care for the memories."""

from __future__ import annotations

import typer

from mcp_server.cli.options import Config, Json

__all__ = ["app"]

app = typer.Typer(help="Care for the memories.", no_args_is_help=True)


@app.command("reindex")
def memory_reindex(config: Config = None, json: Json = False) -> None:
    """Give vectors to memories that were stored without the embedding model that is configured now."""
    from mcp_server.cli.reindex import reindex

    reindex(config, json=json)

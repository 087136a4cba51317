"""The verbs of ``agentmem-mcp cache``: compiled modules."""

from __future__ import annotations

import typer

from mcp_server.cli.options import Json

__all__ = ["app"]

app = typer.Typer(help="The cache of compiled modules.", no_args_is_help=True)


@app.command("clear")
def cache_clear(json: Json = False) -> None:
    """Remove all compiled code; it is made again at the next call."""
    from mcp_server.cli.look import clear_cache

    clear_cache(json=json)

"""The verbs of ``agentmem-mcp cache``: compiled modules, and packages that were fetched."""

from __future__ import annotations

import typer

from mcp_server.cli.options import Json

__all__ = ["app"]

app = typer.Typer(help="The cache of compiled modules and fetched packages.", no_args_is_help=True)


@app.command("info")
def cache_info(json: Json = False) -> None:
    """Show where the cache is and how much is in it."""
    from mcp_server.cli.look import show_cache

    show_cache(json=json)


@app.command("clear")
def cache_clear(json: Json = False) -> None:
    """Remove all compiled code and fetched packages; they are made and fetched again when they are needed."""
    from mcp_server.cli.look import clear_cache

    clear_cache(json=json)

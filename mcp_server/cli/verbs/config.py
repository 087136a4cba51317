"""The verbs of ``agentmem-mcp config``: what is configured, and which folders are trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.options import Config, Json, Set

__all__ = ["app"]

app = typer.Typer(help="Look at the configuration, and trust folders.", no_args_is_help=True)


@app.command("show")
def config_show(
    origin: Annotated[bool, typer.Option("--origin", help="Also where each value came from.")] = False,
    config: Config = None,
    sets: Set = None,
    json: Json = False,
) -> None:
    """Print every value in force; secrets are never printed."""
    from mcp_server.cli.config import show_config

    show_config(config, sets or [], origin=origin, json=json)


@app.command("path")
def config_path(config: Config = None, json: Json = False) -> None:
    """Print the files that are looked at."""
    from mcp_server.cli.config import show_paths

    show_paths(config, json=json)


@app.command("trust")
def config_trust(
    folder: Annotated[Path | None, typer.Argument(help="The working directory when omitted.")] = None,
    config: Config = None,
) -> None:
    """Let the agentmem.toml of a folder grant rights."""
    from mcp_server.cli.config import trust_folder

    trust_folder(folder, config)

"""The verbs of ``agentmem-mcp config``: what is configured, and which folders are trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.options import Config, Json, Project, Set

__all__ = ["app"]

app = typer.Typer(help="See, check and change the configuration, and trust folders.", no_args_is_help=True)


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


@app.command("check")
def config_check(config: Config = None, sets: Set = None, json: Json = False) -> None:
    """Check every configuration file and variable, and name all problems at once."""
    from mcp_server.cli.config_edit import check_config

    check_config(config, sets or [], json=json)


@app.command("set")
def config_set(
    words: Annotated[list[str], typer.Argument(metavar="KEY=VALUE", help="As runtime.max_workers=2.")],
    project: Project = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write settings into the configuration file; its comments and order stay."""
    from mcp_server.cli.config_edit import set_config

    set_config(words, config, project=project, json=json)


@app.command("unset")
def config_unset(
    keys: Annotated[list[str], typer.Argument(metavar="KEY", help="As runtime.max_workers.")],
    project: Project = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Take settings out of the configuration file, so that the default holds again."""
    from mcp_server.cli.config_edit import unset_config

    unset_config(keys, config, project=project, json=json)


@app.command("trust")
def config_trust(
    folder: Annotated[Path | None, typer.Argument(help="The working directory when omitted.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Let the agentmem.toml of a folder grant rights."""
    from mcp_server.cli.config import trust_folder

    trust_folder(folder, config, json=json)

"""The verb of ``agentmem-mcp index``: a static index of packages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.options import Json, Quiet

__all__ = ["app"]

app = typer.Typer(help="A static index: one JSON file beside the packages that it lists.", no_args_is_help=True)


@app.callback()
def index() -> None:
    """A static index: one JSON file beside the packages that it lists."""


@app.command("build")
def index_build(
    folder: Annotated[Path, typer.Argument(help="Where the packages are.")], quiet: Quiet = False, json: Json = False
) -> None:
    """Write index.json for the packages in a folder; it changes only where a package does.

    Example: agentmem-mcp index build public/plugins
    """
    from mcp_server.cli.packages import How, build

    build(folder, How(quiet=quiet, json=json))

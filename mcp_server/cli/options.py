"""The options and arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.output import is_quiet

__all__ = [
    "Capabilities",
    "Config",
    "Http",
    "Inherited",
    "Json",
    "Locked",
    "Manifests",
    "NoAuth",
    "Plugins",
    "Processes",
    "Project",
    "Quiet",
    "Set",
    "Stdio",
    "Watch",
]

Manifests = Annotated[
    list[Path] | None, typer.Option("--manifests", metavar="DIR", help="Folder of <id>/plugin.toml; repeatable.")
]
Plugins = Annotated[
    list[Path] | None, typer.Option("--plugins", metavar="DIR", help="Folder of plugins and modules; repeatable.")
]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Configuration file (TOML).")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting, as log.level=debug; repeatable."),
]
Watch = Annotated[bool, typer.Option("--watch", help="Pick up changed plugins while serving.")]
Locked = Annotated[bool, typer.Option("--locked", help="Refuse to start unless every plugin is what was approved.")]
Http = Annotated[
    str | None,
    typer.Option("--http", metavar="[HOST:PORT]", help="Serve over HTTP, at 127.0.0.1:8765 when no address is said."),
]
Stdio = Annotated[bool, typer.Option("--stdio", help="Beside --http, serve stdin and stdout too.")]
NoAuth = Annotated[bool, typer.Option("--no-auth", help="Let anybody who reaches --http call the tools.")]
Processes = Annotated[
    int, typer.Option("--processes", metavar="N", min=1, max=64, help="Serve --http with several processes.")
]
Inherited = Annotated[str | None, typer.Option("--inherited", hidden=True)]
Project = Annotated[bool, typer.Option("--project", help="In ./agentmem.toml, not in the user's own file.")]
Capabilities = Annotated[list[str] | None, typer.Argument(metavar="CAPABILITY...", help="Such as NetworkAccess.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def _anywhere(said: bool) -> bool:
    """``--quiet`` is said before the command, wherever it stood on the line."""
    return said or is_quiet()


Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        callback=_anywhere,
        help="Say nothing but errors; the exit code tells the rest.",
    ),
]

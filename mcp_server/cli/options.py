"""The options and arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Capabilities", "Config", "Json", "Manifests", "Plugins", "Project", "Quiet", "Set"]

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
Project = Annotated[bool, typer.Option("--project", help="In ./agentmem.toml, not in the user's own file.")]
Capabilities = Annotated[list[str] | None, typer.Argument(metavar="CAPABILITY...", help="Such as NetworkAccess.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing when all is well.")]

"""The verbs that help with the rest: ``doctor``, ``completion``."""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_server.cli.options import Config, Json, Manifests, Plugins

__all__ = ["completion", "doctor"]


def doctor(
    manifests: Manifests = None,
    plugins: Plugins = None,
    config: Config = None,
    quick: Annotated[bool, typer.Option("--quick", help="Compile no plugin, and start no server.")] = False,
    json: Json = False,
) -> None:
    """Check that everything is in order, from versions to a real call of the server; each fault comes with its fix."""
    from mcp_server.cli.doctor.report import examine

    raise typer.Exit(examine(manifests, plugins, config, quick=quick, json=json))


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],
) -> None:
    """Print what lets a shell complete commands, options, plugins and tools."""
    from mcp_server.cli.complete import print_script

    print_script(shell)

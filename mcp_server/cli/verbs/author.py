"""The verbs of a plugin's author, which stand at the top: begin, look, check, build, try, measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.options import Json, Quiet

__all__ = ["add_author_verbs"]


Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The plugin's; the working directory when omitted.")]


def add_author_verbs(app: typer.Typer) -> None:
    """Put the verbs into ``app``."""
    for name, verb in VERBS.items():
        app.command(name)(verb)


def inspect(
    module: Annotated[Path, typer.Argument(metavar="X.wasm", help="A module.")],
    write: Annotated[bool, typer.Option("--write", help="Write the proposed plugin.toml beside it.")] = False,
    force: Annotated[bool, typer.Option("--force", help="With --write, replace a plugin.toml that is there.")] = False,
    no_run: Annotated[bool, typer.Option("--no-run", help="Do not ask the module itself, in a worker.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what a module needs and offers, and propose a manifest.

    Example: agentmem-mcp inspect hello.wasm --write
    """
    from mcp_server.cli.inspect import inspect as inspect_file

    inspect_file(module, run=not no_run, write=write, force=force, json=json, quiet=quiet)


def check(
    folder: Folder = Path(),
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold a plugin's manifest against its module, its rights and what clients take; nothing of it runs.

    Exits with 6 where something is wrong, for CI.

    Example: agentmem-mcp check . --strict
    """
    from mcp_server.cli.check import check as check_folder

    raise typer.Exit(check_folder(folder, strict=strict, json=json, quiet=quiet))


VERBS = {"inspect": inspect, "check": check}

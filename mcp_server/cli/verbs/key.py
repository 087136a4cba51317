"""The verbs of ``agentmem-mcp key``: keys to sign with, and keys to trust."""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_server.cli.options import Config, Json, Quiet

__all__ = ["app"]

app = typer.Typer(help="Keys that sign packages, and whose signatures count.", no_args_is_help=True)


@app.command("generate")
def key_generate(
    name: Annotated[str, typer.Argument(help="What you call it.")] = "default", quiet: Quiet = False, json: Json = False
) -> None:
    """Make a key to sign packages with, in the format of minisign.

    Example: agentmem-mcp key generate me
    """
    from mcp_server.cli.keys import generate

    generate(name, quiet=quiet, json=json)


@app.command("trust")
def key_trust(
    name: Annotated[str, typer.Argument(help="Whose key or identity it is.")],
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="The public key, RW…, or its file.")] = None,
    identity: Annotated[
        str | None, typer.Option("--identity", metavar="WHO", help="In place of a key: who signs by Sigstore.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="URL", help="Who must have vouched for that identity.")
    ] = None,
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Let what a key, or an identity by Sigstore, has signed count as signed by somebody.

    Example: agentmem-mcp key trust ann ann.pub
    """
    from mcp_server.cli.keys import trust

    trust(name, key, identity, issuer, config, quiet=quiet, json=json)


@app.command("forget")
def key_forget(
    name: Annotated[str, typer.Argument(help="Whose key or identity it was.")],
    config: Config = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Trust a key or an identity no longer.

    Example: agentmem-mcp key forget ann
    """
    from mcp_server.cli.keys import forget

    forget(name, config, quiet=quiet, json=json)


@app.command("list")
def key_list(config: Config = None, json: Json = False) -> None:
    """List the keys and identities that are trusted, and your own keys.

    Example: agentmem-mcp key list
    """
    from mcp_server.cli.keys import list_keys

    list_keys(config, json=json)

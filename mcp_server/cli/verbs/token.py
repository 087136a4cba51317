"""The verbs of ``agentmem-mcp token``: the bearer tokens of clients over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_server.cli.options import Json

__all__ = ["app"]

app = typer.Typer(help="The bearer tokens of clients over HTTP.", no_args_is_help=True)


@app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="What you call it; also who calls with it, unless --principal says so.")],
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="What it is good for; repeatable. Default: list and call tools."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="WHEN", help="After 12h, 30d, or a time; never when omitted.")
    ] = None,
    principal: Annotated[
        str | None, typer.Option("--principal", metavar="WHO", help="Whose memories and limits its calls use.")
    ] = None,
    json: Json = False,
) -> None:
    """Give out a token; it is shown once and never again."""
    from mcp_server.cli.token import create_token

    create_token(name, scopes or [], expires, principal, json=json)


@app.command("list")
def token_list(json: Json = False) -> None:
    """List the tokens that were given out, without the tokens themselves."""
    from mcp_server.cli.token import list_tokens

    list_tokens(json=json)


@app.command("revoke")
def token_revoke(
    name: Annotated[str, typer.Argument(help="Its name, or its id.")],
    json: Json = False,
) -> None:
    """Take a token back; running servers refuse it from their next request on."""
    from mcp_server.cli.token import revoke_token

    revoke_token(name, json=json)

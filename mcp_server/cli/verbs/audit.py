"""The verbs of ``agentmem-mcp audit``: the record of what plugins were allowed and did."""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_server.cli.options import Json

__all__ = ["app"]

app = typer.Typer(help="The record of what plugins were allowed and did.", no_args_is_help=True)


@app.command("show")
def audit_show(
    plugin: Annotated[str | None, typer.Option("--plugin", metavar="ID", help="Only this plugin's rows.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="WHEN", help="A time, or 30m, 2h, 7d ago.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="At most so many, the newest.")] = 50,
    json: Json = False,
) -> None:
    """Show what plugins were allowed and did."""
    from mcp_server.cli.audit import show_audit

    show_audit(plugin, since, count, json=json)


@app.command("verify")
def audit_verify(json: Json = False) -> None:
    """Check that no row of the audit log was altered, removed or re-ordered."""
    from mcp_server.cli.audit import verify_audit

    raise typer.Exit(verify_audit(json=json))

"""The verbs of ``agentmem-mcp memory``: find, add, take out, bring in, and care for the memories."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.options import Config, Json

__all__ = ["app"]

app = typer.Typer(help="Find, add, export, import and care for the memories.", no_args_is_help=True)

User = Annotated[str, typer.Option("--user", metavar="ID", help="Whose memories; this machine's user when omitted.")]
Plugin = Annotated[
    str | None, typer.Option("--plugin", metavar="ID", help="Those of a plugin's own space, not the user's.")
]
Agent = Annotated[str | None, typer.Option("--agent", metavar="LABEL", help="Only of this agent.")]
Run = Annotated[str | None, typer.Option("--run", metavar="LABEL", help="Only of this run.")]
Identifier = Annotated[str, typer.Argument(metavar="ID", help="As `memory search` shows it.")]
Labelled = Annotated[str | None, typer.Option("--agent", metavar="LABEL", help="Label: which agent it belongs to.")]
LabelledRun = Annotated[str | None, typer.Option("--run", metavar="LABEL", help="Label: which run it belongs to.")]


@app.command("search")
def memory_search(
    query: Annotated[str, typer.Argument(help="Words, or a question.")],
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", help="At most so many, 10 without it.")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="MODE", help="auto, lexical, semantic or hybrid.")
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Only of this type; repeatable.")
    ] = None,
    filters: Annotated[
        str | None, typer.Option("--filter", metavar="JSON", help="Conditions, as in docs/memory.md.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", metavar="SCORE", help="Leave out what scores lower, 0 to 1.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="With --json, the parts of each score.")] = False,
    user: User = "local",
    plugin: Plugin = None,
    agent: Agent = None,
    run: Run = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Find memories that fit a question, the best first."""
    from mcp_server.cli.memories import Whose, search_memories

    asked = {"limit": limit, "mode": mode, "memory_types": types, "threshold": threshold, "explain": explain}
    search_memories(query, Whose(user, plugin, agent, run), config, asked, filters, json=json)


@app.command("add")
def memory_add(
    content: Annotated[str, typer.Argument(help="What to remember; - is stdin.")],
    type_: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Kind of memory.")] = None,
    metadata: Annotated[str | None, typer.Option("--metadata", metavar="JSON", help="Anything to filter by.")] = None,
    importance: Annotated[
        float | None, typer.Option("--importance", metavar="N", help="How much it matters, 0 to 1.")
    ] = None,
    ttl: Annotated[
        int | None, typer.Option("--ttl-seconds", metavar="N", help="After how many seconds to forget it.")
    ] = None,
    user: User = "local",
    plugin: Plugin = None,
    agent: Labelled = None,
    run: LabelledRun = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Store a memory and print its id; the same content is stored once."""
    from mcp_server.cli.memories import Whose, add_memory

    asked = {"memory_type": type_, "importance": importance, "ttl_seconds": ttl}
    add_memory(content, Whose(user, plugin, agent, run), config, asked, metadata, json=json)


@app.command("export")
def memory_export(
    file: Annotated[Path | None, typer.Argument(help="Replaced as a whole; stdout when omitted.")] = None,
    user: User = "local",
    plugin: Plugin = None,
    agent: Agent = None,
    run: Run = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write memories as JSON lines, the newest first, expired ones too."""
    from mcp_server.cli.memories import Whose, export_memories

    export_memories(file, Whose(user, plugin, agent, run), config, json=json)


@app.command("import")
def memory_import(
    file: Annotated[str, typer.Argument(help="One memory a line, as `memory export` writes them; - is stdin.")],
    user: User = "local",
    plugin: Plugin = None,
    agent: Labelled = None,
    run: LabelledRun = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Add the memories of a file of JSON lines; bad lines are named and left out."""
    from mcp_server.cli.memories import Whose, import_memories

    raise typer.Exit(import_memories(file, Whose(user, plugin, agent, run), config, json=json))


@app.command("stats")
def memory_stats(user: User = "local", plugin: Plugin = None, config: Config = None, json: Json = False) -> None:
    """Show how many memories there are, of which types, and how much of the quota they take."""
    from mcp_server.cli.memories import Whose
    from mcp_server.cli.memory_care import show_stats

    show_stats(Whose(user, plugin, None, None), config, json=json)


@app.command("history")
def memory_history(
    id_: Identifier, user: User = "local", plugin: Plugin = None, config: Config = None, json: Json = False
) -> None:
    """Show what happened to a memory, and what each change replaced, also when it is deleted."""
    from mcp_server.cli.memories import Whose
    from mcp_server.cli.memory_care import show_history

    show_history(id_, Whose(user, plugin, None, None), config, json=json)


@app.command("delete")
def memory_delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `memory search` shows them.")],
    user: User = "local",
    plugin: Plugin = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Delete memories by their ids."""
    from mcp_server.cli.memories import Whose
    from mcp_server.cli.memory_care import delete_memories

    delete_memories(ids, Whose(user, plugin, None, None), config, json=json)


@app.command("delete-all")
def memory_delete_all(
    confirm: Annotated[
        int | None, typer.Option("--confirm", metavar="N", help="How many that are; without it the number is told.")
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Only of this type; repeatable.")
    ] = None,
    filters: Annotated[
        str | None, typer.Option("--filter", metavar="JSON", help="Conditions, as in docs/memory.md.")
    ] = None,
    user: User = "local",
    plugin: Plugin = None,
    agent: Agent = None,
    run: Run = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Delete every memory that is chosen, all of the user's when nothing is, once their number is confirmed."""
    from mcp_server.cli.memories import Whose
    from mcp_server.cli.memory_care import delete_all_memories

    delete_all_memories(Whose(user, plugin, agent, run), config, types or [], filters, confirm, json=json)


@app.command("reindex")
def memory_reindex(config: Config = None, json: Json = False) -> None:
    """Give vectors to memories that were stored without the embedding model that is configured now."""
    from mcp_server.cli.reindex import reindex

    reindex(config, json=json)

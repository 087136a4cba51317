"""``memory stats|history|delete|delete-all``: how much is stored, what a memory was, and taking memories away.

Like the commands in :mod:`.memories` these open the store themselves: no plugin runs, so no hook does.
"""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp_server.backends.errors import ConfirmationNeeded, MemoryNotFound
from mcp_server.cli.memories import Whose, json_option, one_line, open_engine, record_command
from mcp_server.cli.output import print_json, print_table, say
from mcp_server.cli.serve import settings_of
from mcp_server.memory.engine import DEFAULT_QUOTA
from mcp_server.memory.requests import DeleteMemories, DeleteMemory, read
from mcp_server.memory.times import to_text

__all__ = ["delete_all_memories", "delete_memories", "show_history", "show_stats"]


def show_stats(whose: Whose, config: Path | None, *, json: bool) -> None:
    """Print the figures of one user's memories, or of a plugin's for that user."""
    with open_engine(settings_of(config)) as engine:
        stats = engine.stats(whose.user, whose.space)
    told: dict[str, Any] = {
        "memories": stats.records,
        "by_type": dict(sorted(stats.by_type.items())),
        "bytes": stats.size,
        "quota_bytes": DEFAULT_QUOTA,
        "vectors": stats.vectors,
        "changes": stats.changes,
        "oldest": None if stats.oldest is None else to_text(stats.oldest),
        "newest": None if stats.newest is None else to_text(stats.newest),
    }
    if json:
        print_json(told)
        return
    for name, value in told.items():
        shown = ", ".join(f"{kind} {count}" for kind, count in value.items()) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType]  # counts by type
        print(f"{name}: {'-' if shown in (None, '') else shown}")


def show_history(identifier: str, whose: Whose, config: Path | None, *, json: bool) -> None:
    """Print the changes of a memory, the newest first, with what each replaced.

    Raises:
        MemoryNotFound: There never was one, or its history is forgotten.
    """
    with open_engine(settings_of(config)) as engine:
        changes = engine.history(whose.user, whose.space, identifier)
    if json:
        shown = [
            {"version": one.version, "at": to_text(one.at), "operation": one.operation, "before": one.before}
            for one in changes
        ]
        print_json({"id": identifier, "changes": shown})
        return
    rows = [
        [str(one.version), to_text(one.at), one.operation, one_line(_before(one.before)) if one.before else "-"]
        for one in changes
    ]
    print_table(["VERSION", "AT", "OPERATION", "BEFORE"], rows)


def delete_memories(identifiers: Sequence[str], whose: Whose, config: Path | None, *, json: bool) -> None:
    """Delete each of ``identifiers``.

    Raises:
        MemoryNotFound: One is not there; the others are deleted all the same.
    """
    settings = settings_of(config)
    with open_engine(settings) as engine:
        requests = [read(DeleteMemory, {"id": identifier}) for identifier in identifiers]
        found = [one.id for one in requests if engine.delete(whose.user, whose.space, one)]
    for identifier in found:
        record_command(settings, whose, "delete_memory", identifier)
    for identifier in identifiers:
        if identifier not in found:
            raise MemoryNotFound(identifier)
    _tell(len(found), json=json)


def delete_all_memories(
    whose: Whose, config: Path | None, types: Sequence[str], filters: str | None, confirm: int | None, *, json: bool
) -> None:
    """Delete every memory that is chosen, where ``confirm`` is their number.

    Raises:
        ConfirmationNeeded: It is not; the error tells the number.
        InvalidArguments: ``filters`` is no JSON.
    """
    given: dict[str, Any] = {**whose.labels, "confirm": confirm}
    given |= {"memory_types": list(types)} if types else {}
    given |= {"filters": json_option("--filter", filters)} if filters is not None else {}
    settings, request = settings_of(config), read(DeleteMemories, given)
    with open_engine(settings) as engine:
        try:
            count = engine.delete_all(whose.user, whose.space, request)
        except ConfirmationNeeded as needed:
            if needed.data["count"]:
                needed.fix = f"repeat the command with --confirm {needed.data['count']}"
                raise
            count = 0  # nothing is chosen, so there is nothing to confirm
    if count:
        record_command(settings, whose, "delete_all", f"{count} memories")
    _tell(count, json=json)


def _tell(count: int, *, json: bool) -> None:
    if json:
        print_json({"deleted": count})
    else:
        say(f"{count} deleted")


def _before(values: dict[str, Any]) -> str:
    content = values.get("content")
    return content if isinstance(content, str) else json_text.dumps(values, ensure_ascii=False)

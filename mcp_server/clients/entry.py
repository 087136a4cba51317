"""What stands for this server in a client's file: the command, its arguments and variables, all paths absolute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, cast

from mcp_server.clients.places import Client

__all__ = ["Entry", "is_ours"]

PROGRAM = "agentmem-mcp"
_PACKAGES = ("mcp_server", PROGRAM)


@dataclass(frozen=True, slots=True)
class Entry:
    """How a client starts the server.

    Attributes:
        command: An absolute path.
        arguments: Of that command.
        environment: What the client sets beside its own few variables.
    """

    command: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def as_json(self, client: Client | None = None) -> dict[str, Any]:
        """As it stands in the file of ``client``; in the form that most of them read when there is none."""
        kind = {"type": "stdio"} if client is not None and client.typed else {}
        shown: dict[str, Any] = {**kind, "command": self.command, "args": list(self.arguments)}
        return {**shown, "env": dict(self.environment)} if self.environment else shown

    def over(self, old: Mapping[str, Any], client: Client) -> dict[str, Any]:
        """``old`` with this command and these variables; keys and variables that others added stay."""
        known = old.get("env")
        added = cast("dict[str, Any]", known) if isinstance(known, dict) else {}
        fresh = self.as_json(client)
        env = {"env": {**added, **self.environment}} if added or self.environment else {}
        return {**old, **fresh, **env}


def is_ours(entry: object) -> bool:
    """Whether ``entry`` starts this server, wherever it is installed."""
    if not isinstance(entry, dict):
        return False
    known = cast("dict[str, Any]", entry)
    command, given = known.get("command"), known.get("args")
    arguments = [str(word) for word in cast("list[Any]", given)] if isinstance(given, list) else []
    if not isinstance(command, str) or "serve" not in arguments:
        return False
    name = PurePath(command.replace("\\", "/")).name.removesuffix(".exe")
    before = arguments[: arguments.index("serve")]
    return name == PROGRAM or any(word in _PACKAGES for word in before)

"""Rows of the audit log for commands that decide what plugins may do. What servers write is not here."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_server.services import open_audit
from mcp_server.settings import AuditSettings, user_folders

__all__ = ["record_decision"]

MAX_TARGET = 512


def record_decision(settings: AuditSettings, plugin: str, function: str, changes: Sequence[str]) -> None:
    """Write down that a command changed the grant of ``plugin``, and how."""
    audit = open_audit(user_folders().state, settings)
    if audit is not None:
        row = {"event": "command", "principal": "local", "plugin": plugin, "function": function}
        audit.record({**row, "target": "; ".join(changes)[:MAX_TARGET], "code": "ok"})
        audit.close()

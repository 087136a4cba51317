"""What the audit log says of a version: the rights it was given, or why it was given none."""

from __future__ import annotations

from typing import Any

from mcp_server.errors import AgentMemError
from mcp_server.registry.lockfile import PARTS, Entry
from mcp_server.registry.version import PluginVersion

__all__ = ["approval_row", "decision_row"]


def decision_row(plugin: str, decision: PluginVersion | AgentMemError) -> dict[str, Any]:
    """The row of a plugin that serves from now on, or of one that was held back."""
    if isinstance(decision, AgentMemError):
        capabilities = decision.data.get("capabilities", [])
        return {"event": "refused", "plugin": plugin, "code": decision.error_code, "capabilities": capabilities}
    rights = decision.rights
    return {
        "event": "granted",
        "plugin": plugin,
        "wasm": decision.module.sha256,
        "code": "ok",
        "required": sorted(rights.required),
        "optional": sorted(rights.optional),
        "granted": sorted(rights.granted),
        "effective": sorted(rights.effective),
    }


def approval_row(plugin: str, entry: Entry) -> dict[str, Any]:
    """The row of an approval."""
    digests = {part: getattr(entry, part) for part in PARTS}
    return {"event": "approved", "plugin": plugin, "principal": entry.approved_by, "code": "ok", **digests}

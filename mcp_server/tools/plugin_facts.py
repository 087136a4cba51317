"""What is told of a plugin and of a tool, as JSON: for ``plugin list``, ``plugin show``, ``tool list`` and the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mcp_server.memory.hooks import Hook
from mcp_server.registry.facts import digest_of
from mcp_server.registry.record import PluginRecord
from mcp_server.tools.catalog import Catalog, Tool
from mcp_server.tools.hook_calls import hooks_of

__all__ = ["approval_facts", "plugin_details", "plugin_summary", "tool_facts"]


def plugin_summary(record: PluginRecord, catalog: Catalog) -> dict[str, Any]:
    """The line of a list: what it is, where it stands, and why it is held back."""
    manifest = record.version.source.manifest.plugin if record.version else None
    error = record.error
    return {
        "id": record.id,
        "version": manifest.version if manifest else "-",
        "type": manifest.type if manifest else "-",
        "state": str(record.shown_state),
        "approval": record.approval.standing if record.approval else "unknown",
        "tools": [tool.name for tool in catalog.tools.values() if tool.plugin == record.id and record.serving],
        "reason": f"[{error.error_code}] {error.message}" if error else "",
        "fix": error.fix if error else "",
        "notes": list(record.notes),
        "path": str(record.path),
    }


def plugin_details(record: PluginRecord) -> dict[str, Any]:
    """The version that serves: its identity, limits, hooks and module; nothing while there is none."""
    version = record.version
    if version is None:
        return {}
    module = version.module
    return {
        "digest": version.digest,
        "isolation": version.runnable.isolation.name.lower(),
        "asks_user": version.word.asking.value,
        "hooks": {hook.point: _hook_facts(hook, version.rights.hooks) for hook in hooks_of(version)},
        "limits": version.runnable.limits.numbers(),
        "module": {
            "sha256": module.sha256,
            "bytes": module.size,
            "functions": module.function_count,
            "imports": [f"{item.module} {item.name}" for item in module.imports],
            "exports": list(module.callable_exports()),
            "start": module.has_start,
        },
    }


def approval_facts(record: PluginRecord) -> dict[str, Any]:
    """What is known of a plugin's approval."""
    verdict = record.approval
    entry = verdict.entry if verdict else None
    return {
        "standing": verdict.standing if verdict else "unknown",
        "digest": digest_of(verdict.facts.digests()) if verdict and verdict.facts else "",
        "changed": list(verdict.parts) if verdict else [],
        "changes": list(verdict.changes) if verdict else [],
        "approved_at": entry.approved_at if entry else "",
        "approved_by": entry.approved_by if entry else "",
        "how": entry.how if entry else "",
    }


def tool_facts(tool: Tool) -> dict[str, Any]:
    """All that a caller of a tool can know."""
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "plugin": tool.plugin,
        "input_schema": tool.input.source,
        "output_schema": tool.output.source if tool.output else None,
        "annotations": asdict(tool.annotations),
    }


def _hook_facts(hook: Hook, runs: bool) -> dict[str, Any]:
    on_failure = "closed" if hook.closed else "open"
    facts = {"function": hook.function, "order": hook.order, "budget_ms": hook.budget_ms}
    return {**facts, "on_failure": on_failure, "runs": runs}

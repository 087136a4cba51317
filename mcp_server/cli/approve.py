"""``plugin approve`` and ``plugin pending``: what waits for the operator's word, and giving it. Runs no plugin."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import anyio

from mcp_server.cli.output import print_json, say
from mcp_server.cli.serve import find_folders, launched, settings_of
from mcp_server.errors import AgentMemError, InvalidArguments
from mcp_server.host import PluginHost
from mcp_server.registry.decisions import approval_row
from mcp_server.registry.lockfile import Entry
from mcp_server.services import open_audit
from mcp_server.settings import AuditSettings, user_folders
from mcp_server.tools.plugin_facts import approval_facts

__all__ = ["approve_plugins", "show_pending"]

Paths = list[Path] | None
Approved = tuple[str, Entry]
"""The id of a plugin, and what was written down about it."""


def approve_plugins(
    ids: list[str], manifests: Paths, plugins: Paths, config: Path | None, *, everything: bool, json: bool
) -> None:
    """Approve plugins as they lie on disk now.

    Raises:
        InvalidArguments: Neither ids nor ``--all``, or both.
        AgentMemError: Why one could not be approved; those before it are.
    """
    if bool(ids) == everything:
        raise InvalidArguments("name the plugins to approve, or say --all", fix="agentmem-mcp plugin pending")
    settings = settings_of(config)
    logging.disable(logging.WARNING)
    approved: list[Approved] = []
    failed: list[AgentMemError] = []

    async def run() -> None:
        launch = launched(manifests, plugins, config, looking=True)
        async with PluginHost(settings, find_folders(manifests, plugins), launch=launch) as host:
            for plugin in ids or list(host.registry.records):
                try:
                    approved.append((plugin, host.registry.approve(plugin)))
                except AgentMemError as error:
                    failed.append(error)

    try:
        anyio.run(run)
    finally:
        _record(settings.audit, approved)
    _print_approved(approved, json=json)
    if failed:
        raise failed[0]


def _record(settings: AuditSettings, approved: list[Approved]) -> None:
    audit = open_audit(user_folders().state, settings)
    if audit is None:
        return
    for plugin, entry in approved:
        audit.record(approval_row(plugin, entry))
    audit.close()


def _print_approved(approved: list[Approved], *, json: bool) -> None:
    if json:
        print_json({"approved": [{"id": plugin, **entry.model_dump()} for plugin, entry in approved]})
        return
    for plugin, entry in approved:
        say(f"approved {plugin} {entry.version} (wasm {entry.wasm[:12]}…)")


def show_pending(manifests: Paths, plugins: Paths, config: Path | None, *, locked: bool, json: bool) -> None:
    """Print what waits for an approval, with what changed; ``locked`` judges as ``serve --locked`` would."""
    settings = settings_of(config)
    logging.disable(logging.WARNING)
    found: list[dict[str, Any]] = []

    async def run() -> None:
        # --locked would end the host at the first difference; with nothing trusted it judges the same, and goes on
        launch = launched(manifests, plugins, config, looking=True, strict=locked)
        async with PluginHost(settings, find_folders(manifests, plugins), launch=launch) as host:
            found.extend(
                {"id": record.id, **approval_facts(record), "fix": record.approval.fix}
                for record in host.list_plugins()
                if record.approval is not None and not record.approval.may_run
            )

    anyio.run(run)
    if json:
        print_json({"pending": found})
        return
    for facts in found:
        since = f", approved {facts['approved_at']} by {facts['approved_by']}" if facts["approved_at"] else ""
        print(f"{facts['id']}: {facts['standing']}{since}")
        for change in facts["changes"]:
            print(f"  {change}")
    print("\napprove with: agentmem-mcp plugin approve ID… | --all" if found else "nothing is pending")

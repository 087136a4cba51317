"""``plugin stats``: figures of the running server, or those that the last one left behind."""

from __future__ import annotations

import time
from typing import Any

from mcp_server.cli.output import print_json, print_table
from mcp_server.cli.servers import running
from mcp_server.settings.folders import user_folders
from mcp_server.telemetry.snapshot import read_snapshots

__all__ = ["show_stats"]

NOTHING = "no server has run yet for this user"


def show_stats(plugin: str | None, *, json: bool) -> None:
    """Print the figures of the running server now, or those that the last one wrote; of one plugin or of all."""
    servers = running()
    api = servers.api()
    if api is not None and servers.managed is not None:
        figures = api.ask("GET", f"/plugins/{plugin}/stats" if plugin else "/stats")
        plugins = {plugin: figures["plugin"]} if plugin else figures["plugins"]
        facts = {"via": "server", "server": servers.managed.url, "plugins": plugins, "tools": figures["tools"]}
        _show(facts, f"server at {servers.managed.url}, now", json=json)
        return
    snapshots = read_snapshots(user_folders().servers)
    if not snapshots:
        print_json({"via": "files", "plugins": {}, "tools": {}, "servers": []}) if json else print(NOTHING)
        return
    newest = _of(plugin, snapshots[0])
    every = {} if plugin else {"servers": snapshots}
    _show({"via": "files", **newest, **every}, _title(newest), json=json)


def _of(plugin: str | None, snapshot: dict[str, Any]) -> dict[str, Any]:
    if plugin is None:
        return snapshot
    tools = {name: figures for name, figures in snapshot["tools"].items() if figures["plugin"] == plugin}
    plugins = {name: figures for name, figures in snapshot["plugins"].items() if name == plugin}
    return {**snapshot, "tools": tools, "plugins": plugins}


def _title(snapshot: dict[str, Any]) -> str:
    written = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(snapshot["written"]))
    return f"server {snapshot['pid']}{' (ended)' if snapshot['ended'] else ''}, as it wrote into its file at {written}"


def _show(facts: dict[str, Any], title: str, *, json: bool) -> None:
    if json:
        print_json(facts)
        return
    print(title)
    rows = [
        [
            tool,
            str(figures["calls"]),
            ", ".join(f"{name} {count}" for name, count in figures["outcomes"].items()),
            *(f"{figures['total_ms'][name]:.2f}" for name in ("p50", "p95", "p99", "max")),
        ]
        for tool, figures in facts["tools"].items()
    ]
    print_table(["TOOL", "CALLS", "OUTCOMES", "P50 MS", "P95", "P99", "MAX"], rows)
    print()
    plugins = [
        [plugin, known["state"], str(known.get("crashes", 0)), f"{known.get('memory_peak_bytes', 0) / 1e6:.1f}"]
        for plugin, known in facts["plugins"].items()
    ]
    print_table(["PLUGIN", "STATE", "CRASHES", "PEAK MB"], plugins)

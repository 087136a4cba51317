"""``plugin list``, ``plugin show``, ``tool list``, ``cache clear``: what is there, without running any of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from mcp_server.cli.output import print_json, print_table, say
from mcp_server.cli.rights import print_rights
from mcp_server.cli.serve import find_folders, launched, settings_of
from mcp_server.distribution.downloads import cached_packages, clear_packages
from mcp_server.host import PluginHost
from mcp_server.policy.shown import rights_as_json
from mcp_server.runtime.modules import ModuleStore
from mcp_server.settings import load_settings, user_folders
from mcp_server.tools.catalog import Tool
from mcp_server.tools.plugin_facts import approval_facts, plugin_details, plugin_summary, tool_facts

__all__ = [
    "clear_cache",
    "list_plugins",
    "list_tools",
    "show_cache",
    "show_plugin",
    "summary_on_files",
]

Folders = list[Path] | None
MIB = 1024 * 1024


def list_plugins(manifests: Folders, plugins: Folders, config: Path | None, *, json: bool) -> None:
    """Print every plugin with its state and, where it is held back, why and what to do."""

    def show(host: PluginHost) -> None:
        shown = [plugin_summary(record, host.catalog) for record in host.list_plugins()]
        if json:
            print_json({"plugins": shown})
            return
        rows = [
            [s["id"], s["version"], s["type"], s["state"], s["approval"], str(len(s["tools"])), s["reason"] or "-"]
            for s in shown
        ]
        print_table(["PLUGIN", "VERSION", "TYPE", "STATE", "APPROVAL", "TOOLS", "REASON"], rows)
        for held_back in (summary for summary in shown if summary["fix"]):
            print(f"fix for {held_back['id']}: {held_back['fix']}")

    _with_host(show, manifests, plugins, config)


def show_plugin(plugin: str, manifests: Folders, plugins: Folders, config: Path | None, *, json: bool) -> None:
    """Print all that is known about one plugin."""

    def show(host: PluginHost) -> None:
        record = host.registry.get(plugin)
        rights = host.registry.rights(plugin)
        facts = {
            **plugin_summary(record, host.catalog),
            **({"rights": rights_as_json(rights)} if rights is not None else {}),
            **plugin_details(record),
            "approval": approval_facts(record),
        }
        if json:
            print_json(facts)
            return
        for key, value in facts.items():
            if key == "rights" and rights is not None:
                print_rights(rights)
            elif isinstance(value, dict):
                print(f"{key}:")
                for name, item in value.items():  # pyright: ignore[reportUnknownVariableType]  # JSON
                    print(f"  {name}: {_plain(item)}")
            else:
                print(f"{key}: {_plain(value)}")

    _with_host(show, manifests, plugins, config)


def list_tools(manifests: Folders, plugins: Folders, config: Path | None, *, json: bool) -> None:
    """Print every tool with its arguments."""

    def show(host: PluginHost) -> None:
        tools = list(host.catalog.tools.values())
        if json:
            print_json({"tools": [tool_facts(tool) for tool in tools]})
            return
        rows = [[tool.name, _signature(tool), tool.description.splitlines()[0]] for tool in tools]
        print_table(["TOOL", "ARGUMENTS", "WHAT IT DOES"], rows)

    _with_host(show, manifests, plugins, config)


def summary_on_files(plugin: str, manifests: Folders, plugins: Folders, config: Path | None) -> dict[str, Any]:
    """Where a plugin stands by what lies on disk; nothing of it is run.

    Raises:
        PluginNotFound: There is none of that id.
    """
    found: list[dict[str, Any]] = []
    _with_host(
        lambda host: found.append(plugin_summary(host.registry.get(plugin), host.catalog)), manifests, plugins, config
    )
    return found[0]


def show_cache(*, json: bool) -> None:
    """Say where the cache is and how much is in it."""
    folder = user_folders().cache
    figures = ModuleStore(folder, load_settings().runtime.compiled_cache_mb * MIB).figures()
    packages = cached_packages(folder)
    if json:
        print_json(
            {"folder": str(folder), **figures, "packages": len(packages), "package_bytes": sum(packages.values())}
        )
        return
    print(folder)
    print(f"modules: {figures['modules']}, {figures['module_bytes'] / 1e6:.1f} MB")
    most = figures["max_compiled_bytes"] / 1e6
    print(f"compiled: {figures['compiled']}, {figures['compiled_bytes'] / 1e6:.1f} MB of at most {most:.0f} MB")
    print(f"packages: {len(packages)}, {sum(packages.values()) / 1e6:.1f} MB")


def clear_cache(*, json: bool) -> None:
    """Remove compiled code and downloads, and say how much it was."""
    folder = user_folders().cache
    freed = ModuleStore(folder).clear() + clear_packages(folder)
    if json:
        print_json({"freed_bytes": freed})
    else:
        say(f"freed {freed / 1e6:.1f} MB")


def _with_host(show: Callable[[PluginHost], None], manifests: Folders, plugins: Folders, config: Path | None) -> None:
    settings = settings_of(config)
    logging.disable(logging.WARNING)  # what is held back is in the answer, with its reason

    async def run() -> None:
        launch = launched(manifests, plugins, config, looking=True)
        async with PluginHost(settings, find_folders(manifests, plugins), launch=launch) as host:
            show(host)

    anyio.run(run)


def _signature(tool: Tool) -> str:
    """``text, limit?``: the arguments, a question mark on those that may be left out."""
    schema = tool.input.source
    required = schema.get("required", [])
    return ", ".join(name if name in required else f"{name}?" for name in schema.get("properties", {})) or "-"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "-"  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # JSON
    return str(value) if value != "" else "-"

"""``plugin enable``, ``disable``, ``start``, ``stop``, ``restart`` and ``reload``: asked of a running server, else done
on the files. Which of the two it was is part of every answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp_server.cli.look import summary_on_files
from mcp_server.cli.output import note, print_json, say
from mcp_server.cli.servers import Running, look_again, running
from mcp_server.errors import SettingsError
from mcp_server.exits import Exit
from mcp_server.running.management import ServerUnreachable
from mcp_server.settings.edit import edit_file
from mcp_server.settings.folders import user_file
from mcp_server.settings.grants import switch

__all__ = ["Files", "operate_plugin", "switch_plugin"]


class Files:
    """Where a command without a server looks: the folders and the file of its options."""

    def __init__(self, manifests: list[Path] | None, plugins: list[Path] | None, config: Path | None) -> None:
        self.manifests, self.plugins, self.config = manifests, plugins, config


def switch_plugin(plugin: str, files: Files, *, on: bool, json: bool) -> None:
    """Let a plugin run, or keep it from running, for good."""
    servers = running()
    api = servers.api()
    facts: dict[str, Any]
    if api is not None and files.config is None:
        facts = _by_server(servers, api.ask("PATCH", f"/plugins/{plugin}", {"enabled": None if on else False}))
    else:
        summary_on_files(plugin, files.manifests, files.plugins, files.config)  # a plugin that is not there is told
        path = user_file(files.config)
        said = edit_file(path, lambda document: switch(document, plugin, on=on))
        facts = {"via": "files", "file": str(path), "changed": said}
        facts["plugin"] = summary_on_files(plugin, files.manifests, files.plugins, files.config)
    facts["told"] = look_again(servers.others)
    _show(facts, json=json)
    if on and facts["plugin"]["reason"].startswith("[plugin_disabled]"):
        raise SettingsError(
            f"plugin '{plugin}' is still disabled: another layer of the configuration says so",
            fix="agentmem-mcp config show --origin",
        )


def operate_plugin(plugin: str, verb: str, files: Files, *, json: bool) -> int:
    """``start``, ``stop``, ``restart`` or ``reload`` a plugin; the exit code.

    Raises:
        ServerUnreachable: Only a server could do that, and there is none.
        AgentMemError: The server's refusal.
    """
    servers = running()
    api = servers.api()
    if api is not None:
        facts = _by_server(servers, api.ask("POST", f"/plugins/{plugin}/{verb}"))
        if verb == "reload":
            facts["told"] = look_again(servers.others)
    else:
        facts = _without_server(plugin, verb, files, servers)
    _show(facts, json=json)
    failed = facts["plugin"]["state"] == "Error"
    return Exit.PLUGIN_INVALID if failed else 0


def _without_server(plugin: str, verb: str, files: Files, servers: Running) -> dict[str, Any]:
    known = summary_on_files(plugin, files.manifests, files.plugins, files.config)
    if verb == "stop" or (verb != "reload" and servers.others):
        why = "only servers run that take no orders" if servers.others else "no server runs"
        raise ServerUnreachable(
            f"plugin '{plugin}' cannot be asked to {verb}: {why}",
            fix=f"`agentmem-mcp plugin disable {plugin}` keeps it from running in every server; "
            "`agentmem-mcp serve --http` takes such orders",
        )
    return {"via": "files", "plugin": known, "told": look_again(servers.others) if verb == "reload" else []}


def _by_server(servers: Running, plugin: dict[str, Any]) -> dict[str, Any]:
    assert servers.managed is not None  # noqa: S101  # its answer is here
    return {"via": "server", "server": servers.managed.url, "plugin": plugin}


def _show(facts: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(facts)
        return
    for line in facts.get("changed", ()):
        say(f"{facts['file']}: {line}")
    plugin = facts["plugin"]
    said = f"server at {facts['server']}" if facts["via"] == "server" else "by the files; no server was asked"
    say(f"{plugin['id']} {plugin['version']}: {plugin['state']} ({said})")
    if plugin["reason"]:
        say(f"  {plugin['reason']}")
        note(f"fix: {plugin['fix']}") if plugin["fix"] else None
    _say_told(facts.get("told", ()))


def _say_told(told: Sequence[int]) -> None:
    if told:
        say(f"asked to look again: server {', '.join(map(str, told))}")

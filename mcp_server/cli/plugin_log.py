"""``plugin logs``: what a plugin logged and logs, asked of a running server, else read in the files. Which is said."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from mcp_server.cli.output import note, print_json
from mcp_server.cli.servers import Running, running
from mcp_server.errors import SettingsError
from mcp_server.running.management import Management
from mcp_server.settings.folders import user_folders
from mcp_server.telemetry.plugin_log import FOLDER, LogTail, last_lines

__all__ = ["follow_logs", "show_logs"]

_USUAL = ("time", "level", "logger", "message")
_LOOK_SECONDS = 0.2
"""How soon a line in a file is seen; what servers tell comes at once."""


def show_logs(plugin: str, count: int, *, as_json: bool) -> None:
    """Print the newest lines, the oldest first.

    Raises:
        SettingsError: They cannot be read.
        AgentMemError: The server's refusal.
    """
    servers = running()
    api = servers.api()
    lines = api.ask("GET", _route(plugin, count))["lines"] if api is not None else _read(plugin, count)
    if as_json:
        print_json({**_via(servers, api is not None), "plugin": plugin, "lines": lines})
        return
    _print(lines, as_json=False)
    if not lines:
        note(f"nothing: '{plugin}' has logged nothing in a server of this user, at the level of [log] or above")
    note(_told(servers, api is not None))


def follow_logs(plugin: str, count: int, *, as_json: bool) -> None:
    """Print the newest lines, then each that comes, until somebody interrupts this or the server that is asked ends.

    One server is asked. Where others run too, what all of them write into the files is followed in its place.

    Raises:
        SettingsError: They cannot be read.
        ServerUnreachable: The server has ended.
        AgentMemError: Its refusal.
    """
    servers = running()
    api = servers.api() if not servers.others else None
    note(f"following {_told(servers, api is not None)}; Ctrl+C ends this")
    if api is not None:
        _follow_server(api, plugin, count, as_json=as_json)
    else:
        _follow_files(plugin, count, as_json=as_json)


def _follow_server(api: Management, plugin: str, count: int, *, as_json: bool) -> None:
    known = api.ask("GET", _route(plugin, count))
    _print(known["lines"], as_json=as_json)
    for happening in api.follow(known["event"]):
        about = happening.about
        if happening.kind == "log" and about["plugin"] == plugin:
            _print([_line(about)], as_json=as_json)
        elif happening.kind == "lost":
            note(f"{about['events']} events were lost: this reader was too slow")


def _follow_files(plugin: str, count: int, *, as_json: bool) -> None:
    tail = LogTail(user_folders().state / FOLDER, plugin)
    try:
        _print(tail.more()[-count:], as_json=as_json)
        while True:
            time.sleep(_LOOK_SECONDS)
            _print(tail.more(), as_json=as_json)
    finally:
        tail.close()


def _route(plugin: str, count: int) -> str:
    return f"/plugins/{quote(plugin, safe='')}/logs?limit={count}"


def _read(plugin: str, count: int) -> list[dict[str, Any]]:
    folder = user_folders().state / FOLDER
    try:
        return last_lines(folder, plugin, count)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be read: {error.strerror}", fix=f"look at {folder}") from None


def _line(told: dict[str, Any]) -> dict[str, Any]:
    """A line as the files have it, of one that a server told."""
    fields = json.loads(told["fields"] or "{}")
    line = {"time": told["at"][:23] + "Z", "level": told["level"], "logger": "plugin"}
    return line | {"message": f"{told['plugin']}: {told['message']}"} | {f"plugin.{key}": fields[key] for key in fields}


def _via(servers: Running, asked: bool) -> dict[str, str]:
    if asked and servers.managed is not None:
        return {"via": "server", "server": servers.managed.url}
    return {"via": "files"}


def _told(servers: Running, asked: bool) -> str:
    if asked and servers.managed is not None:
        return f"the server at {servers.managed.url}"
    return f"the files in {user_folders().state / FOLDER}, which every server of this user writes"


def _print(lines: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    for line in lines:
        print(json.dumps(line, ensure_ascii=False) if as_json else _as_text(line))
    sys.stdout.flush()


def _as_text(line: dict[str, Any]) -> str:
    message = str(line.get("message", "")).partition(": ")[2]  # the id of the plugin goes before it
    fields = "".join(f" {key.removeprefix('plugin.')}={value}" for key, value in line.items() if key not in _USUAL)
    return f"{line.get('time', '')} {line.get('level', ''):7} {message}{fields}"

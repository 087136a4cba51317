"""``plugin logs``: what a plugin logged in any server of this user."""

from __future__ import annotations

import sys
from typing import Any

from mcp_server.cli.output import note, print_json
from mcp_server.errors import SettingsError
from mcp_server.settings.folders import user_folders
from mcp_server.telemetry.plugin_log import FOLDER, last_lines

__all__ = ["show_logs"]

_USUAL = ("time", "level", "logger", "message")


def show_logs(plugin: str, count: int, *, json: bool) -> None:
    """Print the newest lines, the oldest first.

    Raises:
        SettingsError: They cannot be read.
    """
    folder = user_folders().state / FOLDER
    try:
        lines = last_lines(folder, plugin, count)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be read: {error.strerror}", fix=f"look at {folder}") from None
    if json:
        print_json({"plugin": plugin, "lines": lines})
        return
    for line in lines:
        print(_as_text(line))
    if not lines:
        note(f"nothing: '{plugin}' has logged nothing in a server of this user, at the level of [log] or above")
    sys.stdout.flush()


def _as_text(line: dict[str, Any]) -> str:
    message = str(line.get("message", "")).partition(": ")[2]  # the id of the plugin goes before it
    fields = "".join(f" {key.removeprefix('plugin.')}={value}" for key, value in line.items() if key not in _USUAL)
    return f"{line.get('time', '')} {line.get('level', ''):7} {message}{fields}"

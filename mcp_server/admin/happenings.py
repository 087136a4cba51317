"""What an operator wants to see live: plugins that come, go or change their state, calls, denials, lines of plugins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_server.capabilities.base import LogLine
from mcp_server.host import PluginHost
from mcp_server.registry.record import PluginRecord
from mcp_server.telemetry.events import EventHub, Hub
from mcp_server.telemetry.logs import clean, names_a_secret

__all__ = ["Happenings"]

_Standing = tuple[str, str, str]
"""State, version's digest, code of the error."""


class Happenings:
    """Listens to a host from now on.

    Args:
        host: Entered already. Denials come from its audit log; without one, none are told.
        hub: Where it is told; one of its own when omitted.
    """

    def __init__(self, host: PluginHost, hub: Hub | None = None) -> None:
        self.hub: Hub = hub or EventHub()
        self._host = host
        self._known = self._standings()
        host.changed.append(self.look)
        host.recorder.listeners.append(lambda record: self.hub.tell("call", record))
        host.services.plugin_lines.append(self._said)
        if host.audit is not None:
            host.audit.listeners.append(self._recorded)

    def look(self) -> None:
        """Compare every plugin with what it was, and tell the differences."""
        known, self._known = self._known, self._standings()
        for plugin in known.keys() | self._known.keys():
            now = self._known.get(plugin)
            if now != known.get(plugin):
                state, digest, code = now or ("Unregistered", "", "")
                self.hub.tell("lifecycle", {"plugin": plugin, "state": state, "digest": digest, "code": code})

    def _recorded(self, row: Mapping[str, Any]) -> None:
        code = str(row.get("code", ""))
        if row.get("event") == "refused" or code.endswith("_denied"):
            shown = {key: row.get(key, "") for key in ("principal", "plugin", "function", "target")}
            self.hub.tell("denied", {**shown, "code": code})

    def _said(self, line: LogLine) -> None:
        """As the server's own log has it: what looks like a secret is hidden."""
        fields = {key: "[redacted]" if names_a_secret(key) else _plain(value) for key, value in line.fields.items()}
        about = {"plugin": line.plugin, "level": line.level, "message": clean(line.message)}
        about["fields"] = json.dumps(fields, ensure_ascii=False) if fields else ""
        self.hub.tell("log", about)

    def _standings(self) -> dict[str, _Standing]:
        return {record.id: _standing(record) for record in self._host.list_plugins()}


def _plain(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _standing(record: PluginRecord) -> _Standing:
    digest = record.version.digest if record.version is not None and record.serving else ""
    return str(record.state), digest, record.error.error_code if record.error else ""

"""What the routes of the management API work on: the host and the places of one server. No route is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from mcp_server import __version__
from mcp_server.admin.happenings import Happenings
from mcp_server.errors import LifecycleError, SettingsError
from mcp_server.host import PluginHost
from mcp_server.registry.decisions import approval_row
from mcp_server.registry.installed import InstalledPlugins
from mcp_server.registry.registration import Registration
from mcp_server.reloading import Reloader
from mcp_server.settings.document import Document
from mcp_server.settings.edit import edit_file
from mcp_server.siblings import Siblings
from mcp_server.telemetry.events import Hub
from mcp_server.tools.catalog import Tool
from mcp_server.tools.memory_tools import every_memory_tool
from mcp_server.tools.plugin_facts import approval_facts
from mcp_server.transport.http.challenge import Challenge
from mcp_server.transport.http.streams import Streams

__all__ = ["AtDesk", "Desk"]


@dataclass
class Desk:
    """One server's.

    Attributes:
        host: Entered already.
        reloader: Reads the configuration again.
        siblings: Through them what is done here is done in every process of the server.
        data: The user's data folder.
        state: The user's state folder.
        hub: Where events are told; one of this process when omitted.
        challenge: The site's refusals.
        streams: The site's open streams.
        happenings: What ``/events`` tells.
    """

    host: PluginHost
    reloader: Reloader
    siblings: Siblings
    data: Path
    state: Path
    hub: InitVar[Hub | None] = None
    challenge: Challenge = field(default_factory=Challenge)
    streams: Streams | None = None

    def __post_init__(self, hub: Hub | None) -> None:
        roots = self.host.settings.http.plugin_roots
        self.registration = Registration(InstalledPlugins(self.data), __version__, roots)
        self.happenings = Happenings(self.host, hub)
        record = self.host.audit.record if self.host.audit is not None else None
        tools = every_memory_tool(self.host.settings, self.host.memories, record)
        self.memory_tools: dict[str, Tool] = {tool.function: tool for tool in tools}

    def join(self, challenge: Challenge, streams: Streams) -> None:
        """Take the parts of the site that the API stands in."""
        self.challenge, self.streams = challenge, streams

    def approve(self, plugin: str, by: str, seen: str | None = None) -> None:
        """Approve what lies on disk, in the name of ``by``, and serve it.

        Args:
            plugin: Its id.
            by: Who approves.
            seen: The digest of what was shown to them, where it was.

        Raises:
            LifecycleError: It is another version by now than the one they saw.
            AgentMemError: As :meth:`Registry.approve`.
        """
        if seen is not None and seen != approval_facts(self.host.registry.get(plugin))["digest"]:
            raise LifecycleError(
                f"plugin '{plugin}' changed again after it was shown to you; nothing was approved",
                fix="look at its changes again, and approve those",
                data={"plugin": plugin},
            )
        entry = self.host.registry.approve(plugin, by)
        if self.host.audit is not None:
            self.host.audit.record(approval_row(plugin, entry))
        self.take_up()

    def take_up(self) -> None:
        """Serve what has just been written, in every process."""
        self.host.reload()
        self.siblings.changed()

    def edit(self, change: Callable[[Document], list[str]]) -> list[str]:
        """Change the operator's configuration file and take it up; what was changed, a line each.

        Raises:
            SettingsError: There is no such file, or it would not be in order.
        """
        file = self.reloader.file
        if file is None:
            raise SettingsError("this server was started without a configuration that could be changed")
        said = edit_file(file, change)
        self.reloader.again()
        self.siblings.changed()
        return said

    def record(self, principal: str, plugin: str, function: str, target: str = "") -> None:
        """Write into the audit log that ``principal`` managed ``plugin``."""
        if self.host.audit is not None:
            row = {"event": "managed", "principal": principal, "plugin": plugin, "function": function}
            self.host.audit.record({**row, "target": target, "code": "ok"})


def _desk_of(request: Request) -> Desk:
    return request.app.state.desk


AtDesk = Annotated[Desk, Depends(_desk_of)]

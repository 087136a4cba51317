"""What every way to MCP shows of a plugin host: its tools, who sees which, and a call's result on the wire.

Nothing of the SDK is known here, so that a call need not wait for its import.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

import anyio

from mcp_server.errors import AgentMemError, ConsentNeeded, ToolNotFound
from mcp_server.host import PluginHost
from mcp_server.registry.version import Asking
from mcp_server.tools.catalog import Catalog, Tool
from mcp_server.tools.projection import ToolList, error_result, result_wire
from mcp_server.tools.results import ToolResult
from mcp_server.transport.identity import Identity
from mcp_server.transport.tool_lists import ToolLists

__all__ = ["Face", "may_ask"]

logger = logging.getLogger(__name__)


class Face:
    """Of one plugin host.

    Args:
        host: Entered already.
    """

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._lists = ToolLists()
        self._changed = anyio.Event()
        host.changed.append(lambda: self._changed.set())
        self.era = ""
        """The protocol version that the client on pipes has settled on; a probe settles nothing."""
        self.calls = 0
        """``tools/call`` requests that are being answered now."""

    def catalog(self, identity: Identity) -> Catalog:
        """The tools that are served now to ``identity``, whatever its scopes."""
        return self._host.views.of(identity.principal)

    def catalog_of_all(self) -> Catalog:
        """All tools that are served now."""
        return self._host.catalog

    def may_speak(self, name: str) -> bool:
        """Whether a call of tool ``name`` may send something before its result: a question, or a line of a log."""
        tool = self._host.catalog.tools.get(name)
        if tool is None or tool.version is None:
            return False
        return may_ask(tool) or any(imported.name == "log" for imported in tool.version.module.imports)

    async def wait_changed(self) -> None:
        """Return when the host's tool list has changed since the last return."""
        await self._changed.wait()
        self._changed = anyio.Event()

    async def announce(self) -> None:
        """Tell subscribers that the tool list changed; without the SDK there are none."""

    def tools_shown(self, identity: Identity) -> ToolList:
        """The tools that ``identity`` may call, made once for each catalogue."""
        return self._lists.of(self._host.catalog, self.catalog(identity), identity)

    async def answered(
        self, call: Coroutine[Any, Any, ToolResult], name: str, tool: Tool | None, request: object, *, legacy: bool
    ) -> dict[str, Any]:
        """The result of a ``tools/call`` on the wire, also where the call failed.

        Args:
            call: Of the tool ``name``; it is awaited here.
            name: For the log.
            tool: Where there is one.
            request: The request's id, for the log.
            legacy: Whether the client is of a handshake era.

        Raises:
            ConsentNeeded: The user must be asked first.
            ToolNotFound: There is no such tool.
        """
        self.calls += 1
        try:
            return result_wire(await call, tool, legacy=legacy)
        except (ConsentNeeded, ToolNotFound):
            raise
        except AgentMemError as error:
            return error_result(error, legacy=legacy)
        except Exception:  # the tool-call boundary: what nobody foresaw must not reach the wire as text
            logger.exception("tools/call %s failed, request %s", name, request)
            hidden = AgentMemError(f"the host failed while calling '{name}'; see its log, request {request}")
            return error_result(hidden, legacy=legacy)
        finally:
            self.calls -= 1


def may_ask(tool: Tool) -> bool:
    """Whether a call of ``tool`` may put a question to the user."""
    return tool.version is not None and tool.version.word.asking is not Asking.NO

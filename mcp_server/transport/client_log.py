"""A plugin's log lines on their way to the client that made the call, where its era and its wish have them.

They are sent just before the call's result: a call logs at most 200 lines, and waiting for them costs calls that
log nothing nothing.
"""

from __future__ import annotations

import warnings
from typing import Any, cast

from mcp.server.connection import Connection, allowed_log_levels
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_server.capabilities.base import LogLine
from mcp_server.telemetry.levels import LogLevel

__all__ = ["ClientLog", "set_level"]

LEVELS: tuple[LogLevel, ...] = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
DEFAULT: LogLevel = "info"
"""What a client of a handshake era gets until it sets a level."""
_STATE = "agentmem.log_level"


class ClientLog:
    """The lines of one call; a sink for ``Caller.log``."""

    def __init__(self, ctx: ServerRequestContext[Any, Any]) -> None:
        self._ctx = ctx
        self._lines: list[LogLine] = []
        self._wanted: frozenset[str] | None = None

    def add(self, line: LogLine) -> None:
        """Keep a line if the client wants it."""
        if self._wanted is None:
            self._wanted = _wanted(self._ctx)
        if line.level in self._wanted:
            self._lines.append(line)

    async def send(self) -> None:
        """Send what was kept, in order, if this call's answer has room for it."""
        if self._ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS and not self._ctx.session.can_send_request:
            self._lines.clear()  # one JSON body, in a session over HTTP
        for line in self._lines:
            data = {"message": line.message, **({"fields": dict(line.fields)} if line.fields else {})}
            with warnings.catch_warnings():  # logging is deprecated in 2026-07-28, and still part of it
                warnings.simplefilter("ignore", MCPDeprecationWarning)
                session: Any = self._ctx.session  # untyped: the method is marked deprecated
                sending = session.send_log_message(line.level, data, line.plugin, self._ctx.request_id)
            await sending
        self._lines.clear()


def set_level(ctx: ServerRequestContext[Any, Any], level: str) -> None:
    """``logging/setLevel`` of a handshake era: the least level its connection gets from now on."""
    _connection(ctx).state[_STATE] = level


def _wanted(ctx: ServerRequestContext[Any, Any]) -> frozenset[str]:
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return frozenset(allowed_log_levels(ctx.protocol_version, cast("Any", ctx.meta)))
    least = _connection(ctx).state.get(_STATE, DEFAULT)
    return frozenset(LEVELS[LEVELS.index(least) :])


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]  # the SDK has no public way

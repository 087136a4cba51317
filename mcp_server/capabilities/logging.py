"""LoggingAccess: ``log``. Cleans, cuts and counts what a plugin says before anyone reads it."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, get_args

from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal, LogLine, Usage
from mcp_server.telemetry.levels import LogLevel

__all__ = ["FUNCTIONS"]

MAX_LINE_BYTES = 4_096
MAX_FIELDS = 32
MAX_FIELD_CHARS = 512
_LEVELS = get_args(LogLevel)
# A log line that holds a line break or an escape sequence can forge another line, or repaint a terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def log(context: CallContext, request: dict[str, Any]) -> None:
    """``{"level", "message", "fields"?}``; over the limits a line is dropped and the drop is told."""
    level = request.get("level", "info")
    if level not in _LEVELS:
        raise HostRefusal("invalid_request", f"log: 'level' must be one of {', '.join(_LEVELS)}, got {level!r:.100}")
    message = request.get("message")
    if not isinstance(message, str):
        raise HostRefusal("invalid_request", f"log: 'message' must be a string, got {type(message).__name__}")
    line = LogLine(context.plugin, level, _clean(message, MAX_LINE_BYTES), _clean_fields(request.get("fields")))
    _count(context, _size(line))
    context.log(line)


def _count(context: CallContext, size: int) -> None:
    usage, limits = context.usage, context.limits
    for name, used, limit in (
        ("log_lines", usage.log_lines + 1, limits.log_lines),
        ("log_bytes", usage.log_bytes + size, limits.log_bytes),
    ):
        if used > limit:
            _note_dropped(context, usage)
            raise HostRefusal(
                f"limit_{name}",
                f"log: the line was dropped, one call may log {limits.log_lines} lines and {limits.log_bytes} bytes",
                {"limit": name, "allowed": limit, "used": used},
                fix=context.narrowing.limit_fix(context.plugin, name, limits),
            )
    usage.log_lines += 1
    usage.log_bytes += size


def _note_dropped(context: CallContext, usage: Usage) -> None:
    usage.log_dropped += 1
    if usage.log_dropped == 1:
        context.log(LogLine(context.plugin, "warning", "log limit reached, further lines of this call are dropped", {}))


def _size(line: LogLine) -> int:
    return sum(len(str(part).encode()) for part in (line.message, *line.fields, *line.fields.values()))


def _clean(text: str, most: int) -> str:
    """``text`` in at most ``most`` bytes of UTF-8, and an ellipsis where it was longer.

    Cut before it is cleaned: a guest may send 16 MiB of control characters, and this runs on the server's loop.
    """
    shown = _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text[:most])
    data = shown.encode("utf-8", "replace")
    if len(data) <= most and len(text) <= most:
        return shown
    return data[:most].decode("utf-8", "ignore") + "…"


def _clean_fields(fields: object) -> dict[str, Any]:
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise HostRefusal("invalid_request", f"log: 'fields' must be an object, got {type(fields).__name__}")
    shown: dict[str, Any] = {}
    for key, value in islice(fields.items(), MAX_FIELDS):  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # JSON
        plain = value if isinstance(value, int | float | bool | None) else _clean(str(value), MAX_FIELD_CHARS)  # pyright: ignore[reportUnknownArgumentType]
        shown[_clean(str(key), 64)] = plain  # pyright: ignore[reportUnknownArgumentType]
    return shown


FUNCTIONS = (HostFunction("log", log),)

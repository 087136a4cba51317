"""Changes members of a JSON document in its text, so that all else stays: order, comments, spacing, line ends.

Each function answers the whole new text. Whether it says what it should is for the caller to check.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mcp_server.clients.jsonc import Member, Node, read_jsonc

__all__ = ["put", "take"]

_INDENT = re.compile(r"[ \t]*")


def put(text: str, path: tuple[str, ...], value: Any) -> str:
    """``text`` with ``value`` at ``path``; objects on the way are made, and what was there is replaced.

    Raises:
        JsoncError: ``text`` is no document.
        KeyError: A value on the way is no object.
    """
    node = read_jsonc(text)
    unit = _unit(text, node)
    for depth, key in enumerate(path):
        if not isinstance(node.value, dict):
            raise KeyError(path[depth - 1])
        if key not in node.members:
            for outer in reversed(path[depth + 1 :]):
                value = {outer: value}
            return _inserted(text, node, key, value, unit)
        node = node.members[key].node
    return text[: node.start] + _written(text, node.start, value, unit) + text[node.end :]


def take(text: str, path: tuple[str, ...]) -> str:
    """``text`` without the member at ``path``.

    Raises:
        JsoncError: ``text`` is no document.
        KeyError: There is none.
    """
    node = read_jsonc(text)
    for key in path[:-1]:
        node = node.members[key].node
    members = list(node.members.values())
    gone = node.members[path[-1]]
    index = next(i for i, member in enumerate(members) if member is gone)
    if index < len(members) - 1:
        after = gone.comma + 1
        return text[: gone.start] + text[after + len(text[after:]) - len(text[after:].lstrip(" \t\r\n")) :]
    end = gone.comma + 1 if gone.comma >= 0 else gone.node.end
    before, tail = text[: gone.start], text[end:]
    if "\n" not in before[len(before.rstrip(" \t\r\n")) :] or tail.lstrip(" \t").startswith(("\r", "\n")):
        before = before.rstrip(" \t\r\n")  # else a comment up to the end of its line would swallow what follows
    if index and gone.comma < 0:
        comma = members[index - 1].comma
        before = before[:comma] + before[comma + 1 :]
    return before + tail


def _inserted(text: str, node: Node, key: str, value: Any, unit: str) -> str:
    """``text`` with a new last member in the object ``node``."""
    last = next(reversed(node.members.values())) if node.members else None
    closing = node.end - 1
    inside = text[:closing].rstrip(" \t\r\n")
    if last is not None and "\n" not in text[node.start : node.end]:
        at, gap = last.node.end, ", " if " " in text[node.start : node.end] else ","
        return f"{text[:at]}{gap}{_line(key, value)}{text[at:]}"
    outer = _indent(text, node.start)
    indent = _indent(text, last.start) if last is not None else outer + unit
    newline = _newline(text)
    fresh = f"{newline}{indent}{json.dumps(key, ensure_ascii=False)}: {_dumped(value, indent, unit, newline)}"
    if last is not None and last.comma < 0:
        inside = inside[: last.node.end] + "," + inside[last.node.end :]
    end = newline + outer if last is None else text[len(text[:closing].rstrip(" \t\r\n")) : closing]
    return inside + fresh + (end if "\n" in end else newline + outer) + text[closing:]


def _written(text: str, at: int, value: Any, unit: str) -> str:
    """``value`` as it is written in the place ``at``."""
    return _dumped(value, _indent(text, at), unit, _newline(text)) if "\n" in text else json.dumps(value)


def _dumped(value: Any, indent: str, unit: str, newline: str) -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", newline + indent)


def _line(key: str, value: Any) -> str:
    return f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"


def _unit(text: str, root: Node) -> str:
    first: Member | None = next(iter(root.members.values()), None)
    found = _indent(text, first.start) if first is not None and "\n" in text[: first.start] else ""
    return found or "  "


def _indent(text: str, at: int) -> str:
    """What the line of ``at`` begins with."""
    found = _INDENT.match(text, text.rfind("\n", 0, at) + 1)
    return found[0] if found else ""


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"

"""Where a schema may say ``x-mcp-header``: the rule of MCP 2026-07-28 for arguments that travel as HTTP headers.

A client that meets a schema which breaks the rule drops the tool, so it is refused when the manifest is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["header_problem"]

KEY = "x-mcp-header"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_PRIMITIVES = ("integer", "string", "boolean")

Table = Mapping[str, Any]


def header_problem(schema: Table) -> str:
    """What is wrong with the ``x-mcp-header`` annotations of ``schema``; empty when nothing is."""
    allowed = {id(table): table for table in _plain_properties(schema)}
    if any(KEY in table and id(table) not in allowed for table in _tables(schema)):
        return f"has an {KEY} where more than nested 'properties' stands between it and the root"
    seen: set[str] = set()
    for table in allowed.values():
        if KEY not in table:
            continue
        name, kind = table[KEY], table.get("type")
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            return f"has an {KEY} that is not an HTTP header name: {name!r:.80}"
        if kind not in _PRIMITIVES:
            return f"has the {KEY} '{name}' on a property that is no integer, string or boolean"
        if name.lower() in seen:
            return f"has the {KEY} '{name}' twice (header names are compared without case)"
        seen.add(name.lower())
    return ""


def _plain_properties(schema: Table) -> Iterator[Table]:
    """Every property's schema that is reached through ``properties`` alone."""
    stack = [schema]
    while stack:
        properties = stack.pop().get("properties")
        if isinstance(properties, Mapping):
            children = cast("Mapping[str, object]", properties).values()
            found = [cast("Table", child) for child in children if isinstance(child, Mapping)]
            yield from found
            stack += found


def _tables(schema: Table) -> Iterator[Table]:
    """Every table in ``schema`` that may be a schema; not the one under ``properties``, whose keys are names."""
    stack: list[tuple[str, object]] = [("", schema)]
    while stack:
        key, node = stack.pop()
        if isinstance(node, Mapping):
            table = cast("Table", node)
            if key != "properties":
                yield table
            stack.extend(("" if key == "properties" else name, child) for name, child in table.items())
        elif isinstance(node, list):
            stack.extend(("", child) for child in cast("list[object]", node))

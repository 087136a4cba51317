"""Tools and results in the two forms that clients need: the handshake eras (to 2025-11-25) and 2026-07-28.

Old clients refuse a whole ``tools/list`` over one output schema that is no object, and a call over structured
content that is none; so for them such a value is wrapped as ``{"result": …}``, and its schema too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_server.errors import AgentMemError
from mcp_server.tools.catalog import Catalog, Tool
from mcp_server.tools.results import ToolResult, clean_text, warnings_about

__all__ = ["ToolList", "error_result", "result_wire"]

WRAPPER = "result"
ERROR_KEY = "agentmem/error"


class ToolList:
    """A catalogue's ``tools/list`` entries, made once per catalogue for both eras."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.modern = [_entry(tool, legacy=False) for tool in catalog.tools.values()]
        self.legacy = [_entry(tool, legacy=True) for tool in catalog.tools.values()]


def result_wire(result: ToolResult, tool: Tool | None, *, legacy: bool) -> dict[str, Any]:
    """``result`` as a ``CallToolResult`` on the wire."""
    wire: dict[str, Any] = {"content": result.content, "isError": result.is_error}
    if not legacy:
        wire["resultType"] = "complete"
    if result.has_structured and (result.structured is not None or (tool is not None and tool.output is not None)):
        value: object = result.structured
        wrap = legacy and (not isinstance(value, dict) or _needs_wrapper(tool))
        wire["structuredContent"] = {WRAPPER: value} if wrap else result.structured
    if result.meta:
        wire["_meta"] = dict(result.meta)
    return wire


def error_result(error: AgentMemError, *, legacy: bool) -> dict[str, Any]:
    """``error`` as a tool error: a sentence the model can act on, and its code for programs."""
    message = clean_text(error.message)  # it may hold the plugin's own words
    wire: dict[str, Any] = {
        "content": [{"type": "text", "text": f"error[{error.error_code}]: {message}"}],
        "isError": True,
        "_meta": {ERROR_KEY: {**error.as_dict(), "message": message}, **warnings_about(message)},
    }
    if not legacy:
        wire["resultType"] = "complete"
    return wire


def _entry(tool: Tool, *, legacy: bool) -> dict[str, Any]:
    hints = tool.annotations
    entry: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.input.source,
        "annotations": {
            "readOnlyHint": hints.read_only,
            "destructiveHint": hints.destructive,
            "idempotentHint": hints.idempotent,
            "openWorldHint": hints.open_world,
        },
    }
    if tool.title is not None:
        entry["title"] = tool.title
    if tool.output is not None:
        wrap = legacy and _needs_wrapper(tool)
        entry["outputSchema"] = _wrapped(tool.name, tool.output.source) if wrap else tool.output.source
    return entry


def _needs_wrapper(tool: Tool | None) -> bool:
    return tool is not None and tool.output is not None and tool.output.source.get("type") != "object"


def _wrapped(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = dict(schema)
    inner.pop("$schema", None)
    if '"$ref"' in json.dumps(inner):
        inner.setdefault("$id", f"urn:agentmem:{name}")  # its local references keep meaning the inner schema
    return {"type": "object", "properties": {WRAPPER: inner}, "required": [WRAPPER]}

"""What a test can look at: a tool as a client is shown it, a host call as the host saw it. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from mcp_server.tools.catalog import Tool, ToolAnnotations

__all__ = ["HostCall", "ToolFacts", "host_call", "tool_facts"]


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """A tool as clients see it.

    Attributes:
        name: Its full name, ``<plugin id>__<word>``.
        title: For people; None where the manifest has none.
        description: For models.
        function: The export that runs.
        input_schema: JSON Schema of the arguments.
        output_schema: JSON Schema of the answer; None where none is promised.
        annotations: Hints, as far as the plugin's rights let its claims stand.
    """

    name: str
    title: str | None
    description: str
    function: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any] | None
    annotations: ToolAnnotations


@dataclass(frozen=True, slots=True)
class HostCall:
    """One call of a host function, when it has been answered.

    Attributes:
        function: Its name, such as ``http_request``.
        request: The JSON value that the plugin sent; the bytes where they are none.
        outcome: ``ok``, or the code of the refusal.
    """

    function: str
    request: Any
    outcome: str


def tool_facts(tool: Tool) -> ToolFacts:
    """What of ``tool`` is shown."""
    return ToolFacts(
        tool.name,
        tool.title,
        tool.description,
        tool.function,
        tool.input.source,
        tool.output.source if tool.output else None,
        tool.annotations,
    )


def host_call(function: str, request: bytes, outcome: str) -> HostCall:
    """The call of ``function`` with the bytes ``request``."""
    try:
        return HostCall(function, from_json(request), outcome)
    except ValueError:
        return HostCall(function, request, outcome)

"""From a guest's bytes to a tool result. A guest's output is untrusted: parsed strictly, cleaned, capped, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from mcp_server.errors import AgentMemError, OutputInvalid, PluginFailed
from mcp_server.manifest import JsonSchema
from mcp_server.policy.limits import exceeded
from mcp_server.tools.catalog import Tool
from mcp_server.tools.content import ContentProblem, check_content
from mcp_server.tools.json_text import JsonProblem, TooDeep, is_lax_json, parse, write

__all__ = ["ToolResult", "clean_text", "plain_output", "shape_result", "warnings_about"]

# C0 and C1 controls but newline and tab: a terminal or a log would obey them. Stripped from every text block.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Invisible or direction-changing characters: legitimate in some scripts, so they are told, not removed.
_DECEPTIVE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
DECEPTIVE_KEY = "agentmem/deceptive-characters"
_READ_KEYS = {"text", "name", "title", "description"}


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave.

    Attributes:
        content: MCP content blocks as plain dictionaries.
        structured: The JSON value, where the output is JSON.
        has_structured: Tells a JSON ``null`` from no JSON.
        is_error: The plugin itself marked its blocks as an error.
        meta: What the host has to say about the result.
    """

    content: list[dict[str, Any]]
    structured: Any = None
    has_structured: bool = False
    is_error: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])


def shape_result(tool: Tool, output: bytes) -> ToolResult:
    """The result of ``tool`` for ``output``.

    Raises:
        OutputInvalid: The output is not what the tool promises.
        LimitExceeded: It is nested too deep.
        PluginFailed: A dispatcher answered ``success: false``.
    """
    if tool.operation is not None:
        return _shape(tool, _dispatched(tool, output))
    match tool.result:
        case "text":
            return _text_result(_decode(tool, output))
        case "auto" if tool.output is None:
            return _auto_result(tool, output)
        case _:
            return _shape(tool, _parse(tool, output))


def plain_output(plugin: str, function: str, output: bytes, max_depth: int) -> Any:
    """The JSON value of ``output``, or its text when it is no JSON; for callers that are programs.

    Raises:
        OutputInvalid: It is not even UTF-8, or JSON beyond what this host passes on.
    """
    try:
        return parse(output, max_depth)
    except JsonProblem as problem:
        text = _utf8(output)
        if text is None or is_lax_json(text):
            raise OutputInvalid(f"the output of {plugin}.{function} is {problem}", data={"plugin": plugin}) from None
        return text


def clean_text(text: str) -> str:
    """``text`` without the control characters that a terminal or a log would obey."""
    return _CONTROL.sub("", text)


def _auto_result(tool: Tool, output: bytes) -> ToolResult:
    """Nothing was promised: JSON when it is JSON, else text, but never what only a lax reader takes for JSON."""
    if not output:
        return ToolResult([])
    try:
        value = parse(output, tool.limits.json_depth)
    except JsonProblem as problem:
        text = _decode(tool, output)
        if is_lax_json(text):
            raise _json_error(tool, problem) from None
        return _text_result(text)
    return _shape_value(tool, value)


def _shape(tool: Tool, value: Any) -> ToolResult:
    match tool.result:
        case "content":
            return _content_result(tool, value)
        case "text" if isinstance(value, str):
            return _text_result(value)
        case "text":
            raise _invalid(tool, f"a {type(value).__name__} where text was promised")
        case _:
            return _shape_value(tool, value)


def _shape_value(tool: Tool, value: Any) -> ToolResult:
    schema = tool.output
    if schema is not None:
        _check_schema(tool, schema, value)
    if isinstance(value, str) and schema is None:
        return _text_result(value)
    text = _json_text(tool, value)
    return ToolResult([{"type": "text", "text": text}], value, has_structured=True, meta=warnings_about(text))


def _json_text(tool: Tool, value: Any) -> str:
    """``value`` as JSON; the control characters that JSON does not escape itself are escaped too."""
    try:
        text = write(value).decode("utf-8")
    except JsonProblem as problem:
        raise _invalid(tool, str(problem)) from None
    if text.isascii() and "\x7f" not in text:
        return text
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _check_schema(tool: Tool, schema: JsonSchema, value: Any) -> None:
    problems = schema.problems(value)
    if problems:
        raise _invalid(tool, f"not what its output schema promises: {'; '.join(problems)}")


def _content_result(tool: Tool, value: Any) -> ToolResult:
    """A list of blocks, or ``{content, structuredContent?, isError?}``."""
    table = cast("dict[str, Any]", value) if isinstance(value, dict) else {"content": value}
    unknown = set(table) - {"content", "structuredContent", "isError"}
    if unknown:
        raise _invalid(tool, f"a content result with the unknown key '{min(unknown)}'")
    is_error = table.get("isError", False)
    if not isinstance(is_error, bool):
        raise _invalid(tool, "a content result whose 'isError' is no boolean")
    try:
        blocks = check_content(table.get("content", []))
    except ContentProblem as problem:
        raise _invalid(tool, f"not MCP content: {problem}") from None
    structured, has_structured = table.get("structuredContent"), "structuredContent" in table
    text = _json_text(tool, structured) if has_structured else ""
    if tool.output is not None and not is_error:
        if not has_structured:
            raise _invalid(tool, "a content result without the 'structuredContent' that its output schema promises")
        _check_schema(tool, tool.output, structured)
    if text and not blocks:
        blocks = [{"type": "text", "text": text}]
    shown = " ".join(_clean_block(block) for block in blocks)
    return ToolResult(blocks, structured, has_structured=has_structured, is_error=is_error, meta=warnings_about(shown))


def _clean_block(block: dict[str, Any]) -> str:
    """Clean what a person or a model reads of ``block``, in place; that text."""
    shown: list[str] = []
    for table in (block, block.get("resource", {})):
        for key in _READ_KEYS & table.keys():
            table[key] = clean_text(table[key])
            shown.append(table[key])
    return " ".join(shown)


def _dispatched(tool: Tool, output: bytes) -> Any:
    """The ``data`` of a PluginResponse ``{success, data, error, metadata}``."""
    response = _parse(tool, output)
    if not isinstance(response, dict) or not isinstance(cast("dict[str, Any]", response).get("success"), bool):
        raise _invalid(tool, "not a PluginResponse: an object with the boolean 'success' was expected")
    table = cast("dict[str, Any]", response)
    if not table["success"]:
        raise PluginFailed(str(table.get("error") or "the plugin gave no reason"), data={"plugin": tool.plugin})
    return table.get("data")


def _text_result(text: str) -> ToolResult:
    return ToolResult([{"type": "text", "text": clean_text(text)}], meta=warnings_about(text))


def warnings_about(text: str) -> Mapping[str, Any]:
    """What a client should know of ``text`` before it shows it, as an entry of ``_meta``."""
    found = set(_DECEPTIVE.findall(text)) if not text.isascii() else None
    return {DECEPTIVE_KEY: sorted(f"U+{ord(character):04X}" for character in found)} if found else {}


def _decode(tool: Tool, output: bytes) -> str:
    try:
        return output.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid(tool, f"not UTF-8 (byte {error.start})") from None


def _utf8(output: bytes) -> str | None:
    try:
        return output.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _parse(tool: Tool, output: bytes) -> Any:
    try:
        return parse(output, tool.limits.json_depth)
    except JsonProblem as problem:
        raise _json_error(tool, problem) from None


def _json_error(tool: Tool, problem: JsonProblem) -> AgentMemError:
    if isinstance(problem, TooDeep):
        return exceeded("json_depth", tool.limits, plugin=tool.plugin, used=problem.used)
    return _invalid(tool, str(problem))


def _invalid(tool: Tool, why: str) -> AgentMemError:
    return OutputInvalid(
        f"the output of {tool.plugin}.{tool.function} is {why}",
        data={"plugin": tool.plugin, "function": tool.function},
    )

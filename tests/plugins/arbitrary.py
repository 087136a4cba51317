"""What a plugin may be given (any JSON, any bytes, arguments that look like its schema's), and how it must take it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.testing import Plugin, ToolFailed

__all__ = ["ANY_JSON", "answers_whatever_it_is_given", "arguments_near", "raw_inputs"]

ERRORS = {"plugin_error", "invalid_arguments"}
"""How a call may fail whatever it is given; a trap, a crash, a limit or an odd output is a bug of the plugin."""

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_OF_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=200),
    "integer": st.integers(-5, 200) | st.integers(),
    "number": st.integers(-5, 200) | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "null": st.none(),
}


def arguments_near(schema: Mapping[str, Any] | bool, depth: int = 3) -> st.SearchStrategy[Any]:
    """Values that ``schema`` mostly takes: its properties, types, bounds and words, the numbers and texts arbitrary."""
    if isinstance(schema, bool):
        return ANY_JSON
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    parts = [part for key in ("anyOf", "oneOf") for part in schema.get(key, ())]
    if parts and depth:
        return st.one_of([arguments_near(part, depth - 1) for part in parts])
    kind = schema.get("type")
    kinds = cast("list[str]", kind if isinstance(kind, list) else [kind] if kind else [])
    return st.one_of([_of_kind(one, schema, depth) for one in kinds]) if kinds else ANY_JSON


def raw_inputs(schema: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Bytes that reach an export unchecked: any at all, any JSON, and JSON near its schema."""
    texts = st.one_of(ANY_JSON, arguments_near(schema)).map(lambda value: json.dumps(value).encode())
    return st.one_of(st.binary(max_size=200), texts)


def answers_whatever_it_is_given(plugin: Plugin, tool: str) -> None:
    """Give ``tool`` much that is arbitrary, checked and unchecked: it answers, or fails as one of :data:`ERRORS`."""

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        _fails_well(plugin, tool, data)

    check()


def _of_kind(kind: str, schema: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if kind == "array":
        items = arguments_near(schema.get("items", True), depth - 1) if depth else ANY_JSON
        return st.lists(items, min_size=min(schema.get("minItems", 0), 5), max_size=5)
    if kind == "object":
        return _object(schema, depth)
    if kind == "integer" and "minimum" in schema and "maximum" in schema:
        return st.integers(schema["minimum"], schema["maximum"])
    return _OF_TYPE[kind]


def _object(schema: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    if not properties or not depth:
        return st.dictionaries(st.text(max_size=12), ANY_JSON, max_size=4)
    values = {name: arguments_near(part, depth - 1) for name, part in properties.items()}
    needed = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: value for name, value in values.items() if name in needed},
        optional={name: value for name, value in values.items() if name not in needed},
    )


def _fails_well(plugin: Plugin, tool: str, data: st.DataObject) -> None:
    """Give ``tool`` something arbitrary, checked and unchecked."""
    facts = plugin.tools[tool]
    try:
        plugin.call(tool, data.draw(arguments_near(facts.input_schema), label="arguments"))
    except ToolFailed as failed:
        assert failed.code in ERRORS, failed
    try:
        plugin.call_raw(facts.function, data.draw(raw_inputs(facts.input_schema), label="bytes"))
    except ToolFailed as failed:
        assert failed.code in ERRORS, failed

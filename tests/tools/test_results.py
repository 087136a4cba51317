"""Shaping results: whatever bytes a guest leaves, a result that can be sent or one typed error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.errors import AgentMemError, OutputInvalid
from mcp_server.tools.projection import error_result, result_wire
from mcp_server.tools.results import plain_output, shape_result
from tests.tools.conftest import MakeTool

ENTRIES = {
    "auto": "",
    "json": 'result = "json"',
    "text": 'result = "text"',
    "content": 'result = "content"',
    "schema": 'output_schema = { type = "object", required = ["n"] }',
    "array": 'output_schema = { type = "array" }',
    "data": 'result = "content"\noutput_schema = { type = "object" }',
}
block: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "audio", "resource", "resource_link", "video"])},
    optional={
        "text": st.text(),
        "data": st.sampled_from(["", "iVBORw0KGgo=", "%%"]),
        "mimeType": st.sampled_from(["image/png", "x", ""]),
        "uri": st.sampled_from(["a://b", ""]),
        "name": st.text(),
        "size": st.integers(),
        "resource": st.fixed_dictionaries({}, optional={"uri": st.just("a://b"), "text": st.text(), "blob": st.text()}),
        "annotations": st.none() | st.fixed_dictionaries({}, optional={"priority": st.floats(), "audience": st.text()}),
    },
)
answers: st.SearchStrategy[bytes] = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
    st.lists(block, max_size=3).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "content": st.lists(block, max_size=2),
            "structuredContent": st.none() | st.floats() | st.dictionaries(st.text(), st.integers()),
            "isError": st.booleans() | st.integers(),
        },
    ).map(lambda value: json.dumps(value).encode()),
)


@pytest.mark.parametrize("kind", ENTRIES)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(output=answers)
def test_any_output_becomes_strict_json_on_the_wire_of_both_eras(
    make_tool: MakeTool, tools: dict[str, Any], kind: str, output: bytes
) -> None:
    tool = tools.get(kind) or tools.setdefault(kind, make_tool(ENTRIES[kind]))
    for legacy in (True, False):
        try:
            wire = result_wire(shape_result(tool, output), tool, legacy=legacy)
        except AgentMemError as error:
            wire = error_result(error, legacy=legacy)
        line = json.dumps(wire, allow_nan=False, ensure_ascii=False)
        line.encode("utf-8")
        assert all(shown.get("text", "").isprintable() or not set("\x00\x1b\x7f\x9b") & set(shown["text"])
                   for shown in wire["content"])  # fmt: skip
        if legacy and "structuredContent" in wire:
            assert isinstance(wire["structuredContent"], dict)


@pytest.fixture(scope="module")
def tools() -> dict[str, Any]:
    """Tools made once for the examples of all kinds."""
    return {}


@pytest.mark.parametrize(
    ("output", "value"),
    [(b'{"a":1}', {"a": 1}), (b"5", 5), (b"null", None), (b"text", "text"), (b"", ""), (b"{text", "{text")],
)
def test_a_program_gets_the_json_value_or_the_text(output: bytes, value: object) -> None:
    assert plain_output("p", "f", output, 64) == value


@pytest.mark.parametrize("output", [b"\xff", b"[NaN]", b'"\\ud800"', b"[" * 65 + b"]" * 65])
def test_a_program_gets_an_error_for_what_is_neither(output: bytes) -> None:
    with pytest.raises(OutputInvalid, match=r"^the output of p\.f is "):
        plain_output("p", "f", output, 64)

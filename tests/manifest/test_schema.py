"""JSON Schemas of tools: what is refused before it is compiled, and what a compiled one says about a value."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.manifest import JsonSchema

SELF = {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}}}
LOOP = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels - 1):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "https://evil.example/x.json"}, "refers to 'https://evil.example/x.json'; only references into"),
        ({"$ref": "other.json#/a"}, "refers to 'other.json#/a'"),
        ({"properties": {"a": {"$dynamicRef": "urn:x"}}}, "refers to 'urn:x'"),
        ({"$id": "https://evil.example/", "$ref": "file"}, "refers to 'file'"),
        ({"$ref": "#/$defs/gone"}, "is not a valid JSON Schema: Pointer '/$defs/gone' does not exist"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "names the dialect 'http://json-schema.org/draft-07"),
        ({"$schema": ["x"]}, "names the dialect ['x']"),
        ({"type": "objekt"}, "is not a valid JSON Schema"),
        ({"pattern": "("}, 'is not a valid JSON Schema: "(" is not a "regex"'),
        ({"multipleOf": 0}, "is not a valid JSON Schema"),
        ({"minimum": float("nan")}, "is not plain JSON"),
        ({"const": object()}, "is not plain JSON"),
        (nested(33), "is nested deeper than 32 levels"),
        ({"enum": list(range(2_000))}, "has more than 2000 nodes"),
        ({"description": "x" * 65_536}, "is 65555 bytes long; the limit is 65536"),
        ({"description": "red \x1b[31m"}, "holds the invisible or control character U+001B"),
        ({"properties": {"a\u200b": {}}}, "holds the invisible or control character U+200B"),
        ({"enum": ["\U000e0041"]}, "holds the invisible or control character U+E0041"),
    ],
)
def test_a_schema_that_may_not_be_compiled_says_why(schema: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        JsonSchema(schema)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"x-mcp-header": "Region"}, "has an x-mcp-header where more than nested 'properties' stands between"),
        (
            {"properties": {"a": {"items": {"type": "string", "x-mcp-header": "Region"}}}},
            "has an x-mcp-header where more than nested 'properties' stands between",
        ),
        ({"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}}, "has an x-mcp-header that is not an HTTP"),
        ({"properties": {"a": {"type": "string", "x-mcp-header": "a\n"}}}, "has an x-mcp-header that is not an HTTP"),
        ({"properties": {"a": {"type": "string", "x-mcp-header": 5}}}, "has an x-mcp-header that is not an HTTP"),
        ({"properties": {"a": {"type": "object", "x-mcp-header": "A"}}}, "has the x-mcp-header 'A' on a property that"),
        (
            {
                "properties": {
                    "a": {"type": "string", "x-mcp-header": "Region"},
                    "b": {"properties": {"c": {"type": "integer", "x-mcp-header": "region"}}},
                }
            },
            "has the x-mcp-header 'region' twice",
        ),
    ],
)
def test_a_header_annotation_that_clients_would_drop_the_tool_for_is_refused(schema: dict[str, Any], told: str) -> None:
    schema = {"type": "object", **schema}
    with pytest.raises(ValueError, match=r".") as caught:
        JsonSchema(schema)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        SELF,
        LOOP,
        nested(32),
        {"$anchor": "top", "$ref": "#top"},
        {"properties": {"x-mcp-header": {"type": "string"}}},
        {"properties": {"a": {"properties": {"b": {"type": "string", "x-mcp-header": "Region"}}}}},
        {"pattern": "^[^\x00-\x1f]*$"},
        {"minimum": 10**400, "maxLength": 10**30},
    ],
)
def test_a_schema_within_the_rules_is_compiled(schema: dict[str, Any]) -> None:
    assert JsonSchema(schema).source == schema


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (LOOP, {"a": 1}),
        ({"pattern": "^(a+)+$"}, "a" * 200 + "!"),
        ({"uniqueItems": True}, [[number] for number in range(20_000)] + [[0]]),
        ({"allOf": [{"anyOf": [{"type": "string"}] * 30}] * 30}, 5),
        (SELF, {"next": {"next": {"next": 5}}}),
    ],
)
def test_a_schema_bomb_ends_with_a_verdict(schema: dict[str, Any], value: object) -> None:
    assert isinstance(JsonSchema(schema).problems(value), list)


def test_problems_name_the_place_and_the_fault_and_stop_after_a_few() -> None:
    schema = JsonSchema({"type": "array", "items": {"type": "object", "properties": {"n": {"minimum": 0}}}})
    assert schema.problems([{"n": 1}]) == []
    assert schema.problems([{"n": -1}, 5]) == ["0/n: -1 is less than the minimum of 0", '1: 5 is not of type "object"']
    many = schema.problems([5] * 50)
    assert (len(many), many[-1]) == (9, "…")


def test_a_long_value_is_not_repeated_whole_in_a_problem() -> None:
    [problem] = JsonSchema({"maxLength": 1}).problems("x" * 100_000)
    assert len(problem) < 400


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**70), 10**400])
def test_integers_of_any_size_are_compared_exactly(number: int) -> None:
    schema = JsonSchema({"type": "integer", "maximum": 10})
    assert bool(schema.problems(number)) == (number > 10)

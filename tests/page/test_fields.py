"""Forms from whatever a plugin calls its schema, and arguments from whatever a browser sends back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.page.fields import arguments_of, fields_of, tried
from tests.requirements import requirement

_plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_any = st.recursive(
    _plain, lambda some: st.lists(some, max_size=4) | st.dictionaries(st.text(max_size=8), some), max_leaves=8
)
_words = st.sampled_from(["string", "boolean", "integer", "number", "object", "array", ["string", "null"], 7, None])
_about = st.fixed_dictionaries(
    {},
    optional={
        "type": _words | _any,
        "enum": _any,
        "title": _any,
        "description": _any,
        "default": _any,
        "maxLength": _any,
    },
)
_schemas = st.fixed_dictionaries(
    {}, optional={"properties": st.dictionaries(st.text(max_size=12), _about | _any) | _any, "required": _any}
)


@requirement("page:tools")
@given(schema=_schemas, texts=st.lists(st.text(max_size=30) | _any.map(json.dumps), max_size=6))
def test_no_schema_and_no_form_is_too_odd(schema: dict[str, Any], texts: list[str]) -> None:
    fields = fields_of(schema)
    if fields is None:
        return
    assert {field.name for field in fields} == set(schema["properties"])
    form = {field.input_name: text for field, text in zip(fields, texts, strict=False)}
    filled = tried(fields, form)
    if not any(field.problem for field in filled):
        arguments = arguments_of(filled)
        assert set(arguments) <= set(schema["properties"])
        assert {field.name for field in fields if field.required} <= set(arguments)


@requirement("page:tools")
def test_what_is_written_as_default_or_choice_is_read_back_as_it_was() -> None:
    choices = ["a", 1, 1.5, True, {"x": [1]}]
    schema = {"properties": {"c": {"enum": choices}, "d": {"type": "object", "default": {"ö": 1}}}, "required": ["c"]}
    fields = fields_of(schema)
    assert fields is not None
    for choice in choices:
        form = {"argument.c": json.dumps(choice), "argument.d": fields[1].value}
        assert arguments_of(tried(fields, form)) == {"c": choice, "d": {"ö": 1}}


@requirement("page:tools")
@pytest.mark.parametrize("size", [60, 61])
def test_a_schema_of_more_fields_than_a_person_fills_in_is_written_as_json(size: int) -> None:
    schema = {"properties": {f"p{number}": {"type": "string"} for number in range(size)}}
    assert (fields_of(schema) is None) == (size > 60)

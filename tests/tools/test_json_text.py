"""Strict JSON: what is taken, what is refused, and what is written, for any value and any bytes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.tools.json_text import JsonProblem, TooDeep, depth_of, is_lax_json, parse, write

text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=30)
anything = st.recursive(
    scalars | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(value=values)
def test_what_is_written_is_read_again_by_us_and_by_everyone(value: Any) -> None:
    data = write(value)
    assert parse(data, 200) == json.loads(data) == value


@settings(deadline=None)
@given(value=anything)
def test_writing_gives_strict_json_or_a_problem(value: Any) -> None:
    try:
        data = write(value)
    except JsonProblem:
        return
    json.loads(data.decode("utf-8"), parse_constant=pytest.fail)


@settings(deadline=None)
@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_value_or_a_problem(data: bytes) -> None:
    try:
        value = parse(data, 64)
    except JsonProblem:
        return
    assert depth_of(value) <= 64


@pytest.mark.parametrize("levels", [0, 1, 63, 64])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_json_nested_to_the_limit_is_taken(levels: int, left: str, right: str) -> None:
    value = parse(left * levels + "1" + right * levels, 64)
    assert depth_of(value) == levels


@pytest.mark.parametrize(("levels", "used"), [(65, 65), (150, 150), (300, None), (100_000, None)])
def test_json_nested_past_the_limit_says_so_and_how_deep_where_that_is_known(levels: int, used: int | None) -> None:
    with pytest.raises(TooDeep, match="nested deeper than 64 levels") as caught:
        parse(b"[" * levels + b"]" * levels, 64)
    assert caught.value.used == used


def test_brackets_inside_text_are_not_nesting() -> None:
    assert parse(json.dumps("[" * 1_000), 1) == "[" * 1_000


@pytest.mark.parametrize(
    "data",
    [b"NaN", b"[Infinity]", b'{"a":-Infinity}', b'"\\ud800"', b'{"\\udfff": 1}', b"\xff", b'"\xc3"', b'"\xed\xa0\x80"',
     b"\xef\xbb\xbf{}", b"9" * 5_000, b"01", b"+1", b".5", b"1.", b"'a'", b"{a: 1}", b"[1,]", b'"a\nb"', b"", b" ",
     b"{} {}"],
)  # fmt: skip
def test_what_some_reader_would_choke_on_is_refused(data: bytes) -> None:
    with pytest.raises(JsonProblem, match="not valid JSON"):
        parse(data, 64)


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf], {"a": 1e999}, parse("1e999", 1)])
def test_a_number_that_is_not_finite_is_not_written(value: object) -> None:
    with pytest.raises(JsonProblem, match="a number that is not finite"):
        write(value)


@pytest.mark.parametrize("value", ["Infinity", {"NaN": "-Infinity"}])
def test_the_words_for_such_numbers_are_written_as_text(value: object) -> None:
    assert json.loads(write(value)) == value


@pytest.mark.parametrize("value", [object(), {"a": "\ud800"}, {b"\xff": 1}, b"\xff", {1, 2}.__iter__])
def test_what_json_has_no_words_for_is_a_problem(value: object) -> None:
    with pytest.raises(JsonProblem):
        write(value)


@pytest.mark.parametrize(
    ("data", "lax"),
    [
        ("[NaN]", True),
        ('"\\ud800"', True),
        ("9" * 5_000, True),
        ("[" * 100_000, True),
        ("1e999", True),
        ("[a link](x)", False),
        ("{braces", False),
        ("plain", False),
        ("", False),
    ],
)
def test_what_a_lax_reader_takes_for_json_is_told_from_text(data: str, lax: bool) -> None:
    assert is_lax_json(data) is lax

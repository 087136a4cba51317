"""A key that stands twice is found, however the text is written; and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from mcp_server.transport.unique_keys import RepeatedKey, require_unique

KEYS = st.sampled_from(["a", "b", "", 'q"', "ü", "\\", "a b"])
TEXTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.sampled_from([1e999, 0.5])).map(
        lambda value: json.dumps(value, ensure_ascii=False).replace("Infinity", "1e999")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(KEYS, st.booleans(), inner), max_size=4).map(
            lambda pairs: (
                "{" + ",".join(f"{json.dumps(key, ensure_ascii=plain)}:{value}" for key, plain, value in pairs) + "}"
            )
        ),
    ),
    max_leaves=12,
)


def repeats(text: str) -> bool:
    """Read by Python's own reader, pair by pair."""
    found: list[bool] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        found.append(len({key for key, _ in pairs}) < len(pairs))

    json.loads(text, object_pairs_hook=look)
    return any(found)


@given(TEXTS)
def test_a_key_is_refused_where_it_stands_twice_and_nowhere_else(text: str) -> None:
    data = text.encode()
    try:
        require_unique(data, from_json(data, allow_inf_nan=False))
        refused = False
    except RepeatedKey:
        refused = True
    assert refused == repeats(text)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '{ "a": 1, "\\u0061": 2 }', '[{"b":{"":0,"":0}}]', '{"a\\"":1,"a\\"":"x"}']
)
def test_the_refusal_names_the_key(text: str) -> None:
    with pytest.raises(RepeatedKey, match="stands twice in one object"):
        require_unique(text.encode(), from_json(text))

"""What a plugin's configuration comes to: two tables in, values and names of secrets out."""

from __future__ import annotations

import pytest

from mcp_server.policy.plugin_config import (
    MissingSecret,
    SecretName,
    merged,
    named_secrets,
    reference_problems,
    resolved,
    unnamed,
)

REFERENCE = {"secret": "TOKEN"}


def test_the_operators_values_lie_over_the_authors() -> None:
    assert merged({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"a": 1, "b": 3, "c": 4}


def test_only_the_operators_references_stand_for_a_secret() -> None:
    assert merged({"key": REFERENCE}, {}) == {"key": None}
    assert merged({"key": REFERENCE}, {"key": REFERENCE}) == {"key": SecretName("TOKEN")}
    assert merged({}, {"key": REFERENCE}, allowed=["OTHER"]) == {"key": None}


def test_references_are_found_wherever_they_lie() -> None:
    config = merged({}, {"api": {"key": REFERENCE, "more": [1, {"secret": "B"}]}})
    assert list(named_secrets(config)) == [("api.key", "TOKEN"), ("api.more[1]", "B")]
    assert unnamed(config) == {"api": {"key": None, "more": [1, None]}}
    assert resolved(config, {"TOKEN": "t", "B": "b"}.get) == {"api": {"key": "t", "more": [1, "b"]}}


def test_a_table_with_more_than_a_secret_is_a_table() -> None:
    table = {"secret": "not a name!", "more": 1}
    assert merged({}, {"key": table}) == {"key": table}
    assert reference_problems({"key": table}, "config.x") == []


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "ä"])
def test_a_name_that_no_secret_can_have_is_a_problem(name: str) -> None:
    (problem,) = reference_problems({"key": {"secret": name}}, "config.x")
    assert problem.startswith("config.x: ")


@pytest.mark.parametrize("value", [None, ""])
def test_a_secret_without_a_value_is_missing_not_empty(value: str | None) -> None:
    with pytest.raises(MissingSecret, match="TOKEN"):
        resolved(SecretName("TOKEN"), lambda _: value)

"""``store_data``, ``load_data``, ``delete_data``, ``list_data`` as a guest sees them."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.backends.base import Store
from mcp_server.capabilities.storage import MOST_VALUE_BYTES, functions
from tests.backends.conftest import Clock
from tests.capabilities.conftest import Ask, asker


@pytest.fixture
def ask(store: Store, clock: Clock) -> Ask:
    return asker(functions(store, quota=lambda _: 3 * 1024 * 1024, clock=clock))


@pytest.mark.parametrize("value", [None, 0, 1.5, True, "", "ü\n\x00", [], {"a": [{"b": None}]}])
async def test_any_json_value_comes_back(ask: Ask, value: object) -> None:
    stored = await ask("store_data", {"key": "k", "value": value})
    assert stored == {"key": "k", "version": stored["version"], "expires_at": None}
    assert await ask("load_data", {"key": "k"}) == {"value": value, "version": stored["version"], "expires_at": None}


async def test_nothing_under_a_key_is_null(ask: Ask) -> None:
    assert await ask("load_data", {"key": "k"}) is None
    assert await ask("delete_data", {"key": "k"}) == {"deleted": False}


async def test_a_value_lives_as_long_as_it_was_given(ask: Ask, clock: Clock) -> None:
    stored = await ask("store_data", {"key": "k", "value": 1, "ttl_seconds": 60})
    assert stored["expires_at"] == "2026-11-23T08:01:00.000000Z"
    clock.tick(60)
    assert await ask("load_data", {"key": "k"}) is None


async def test_compare_and_set_says_which_version_is_there(ask: Ask) -> None:
    version = (await ask("store_data", {"key": "k", "value": 1, "if_version": 0}))["version"]
    refused = await ask("store_data", {"key": "k", "value": 2, "if_version": version + 1})
    assert refused["code"] == "version_conflict"
    assert (refused["expected"], refused["actual"]) == (version + 1, version)
    refused = await ask("delete_data", {"key": "k", "if_version": 99})
    assert refused["code"] == "version_conflict"
    assert await ask("delete_data", {"key": "k", "if_version": version}) == {"deleted": True}


async def test_keys_are_listed_by_prefix_and_cursor(ask: Ask) -> None:
    for key in ("a/1", "a/2", "a/3", "b/1"):
        await ask("store_data", {"key": key, "value": "x"})
    first = await ask("list_data", {"prefix": "a/", "limit": 2})
    assert [entry["key"] for entry in first["entries"]] == ["a/1", "a/2"]
    assert first["entries"][0] == {"key": "a/1", "bytes": 3, "version": 1, "expires_at": None}
    second = await ask("list_data", {"prefix": "a/", "limit": 2, "cursor": first["cursor"]})
    assert ([entry["key"] for entry in second["entries"]], second["cursor"]) == (["a/3"], None)
    for who, request in (
        ({"principal": "bob"}, {"prefix": "a/"}),
        ({"plugin": "other"}, {"prefix": "a/"}),
        ({}, {"prefix": "b/"}),
    ):
        assert (await ask("list_data", {**request, "cursor": first["cursor"]}, **who))["code"] == "cursor_invalid"


async def test_a_value_at_the_limit_is_kept_and_past_it_refused(ask: Ask) -> None:
    fits = "x" * (MOST_VALUE_BYTES - 2)
    assert "version" in await ask("store_data", {"key": "k", "value": fits})
    refused = await ask("store_data", {"key": "k", "value": fits + "x"})
    assert (refused["code"], refused["allowed"], refused["used"]) == ("limit_kv_value", 1_048_576, 1_048_577)


async def test_a_key_at_the_limit_is_kept_and_past_it_refused(ask: Ask) -> None:
    assert "version" in await ask("store_data", {"key": "ü" * 256, "value": 1})
    refused = await ask("store_data", {"key": "ü" * 256 + "x", "value": 1})
    assert refused["code"] == "invalid_request"
    assert "at most 512 bytes, has 513" in refused["error"]


async def test_the_quota_is_per_plugin_and_principal(ask: Ask) -> None:
    value = "x" * 1_000_000
    for number in range(3):
        assert "version" in await ask("store_data", {"key": str(number), "value": value})
    refused = await ask("store_data", {"key": "3", "value": value})
    assert (refused["code"], refused["allowed"]) == ("limit_kv_bytes", 3 * 1024 * 1024)
    assert "version" in await ask("store_data", {"key": "3", "value": value}, plugin="other")
    assert "version" in await ask("store_data", {"key": "3", "value": value}, principal="bob")


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("store_data", {}),
        ("store_data", {"key": "k"}),
        ("store_data", {"key": "", "value": 1}),
        ("store_data", {"key": 1, "value": 1}),
        ("store_data", {"key": "a\x00", "value": 1}),
        ("store_data", {"key": "\ud800", "value": 1}),
        ("store_data", {"key": "k", "value": "\ud800"}),
        ("store_data", {"key": "k", "value": 1, "ttl_seconds": 0}),
        ("store_data", {"key": "k", "value": 1, "ttl_seconds": 10**12}),
        ("store_data", {"key": "k", "value": 1, "if_version": -1}),
        ("store_data", {"key": "k", "value": 1, "if_version": "1"}),
        ("store_data", {"key": "k", "value": 1, "principal": "bob"}),
        ("load_data", {"key": None}),
        ("load_data", {"key": "k", "plugin": "other"}),
        ("delete_data", {"key": []}),
        ("list_data", {"limit": 0}),
        ("list_data", {"limit": 1_001}),
        ("list_data", {"prefix": 5}),
    ],
)
async def test_a_bad_request_is_refused_with_its_code(ask: Ask, name: str, request_: dict[str, Any]) -> None:
    refused = await ask(name, request_)
    assert refused["code"] == "invalid_request"
    assert refused["error"].startswith(f"{name}: ")

"""``add_memory`` … ``search_memories`` as a guest sees them."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.backends.base import Store
from mcp_server.capabilities.memory import functions
from mcp_server.memory.engine import MemoryEngine
from tests.backends.conftest import Clock
from tests.capabilities.conftest import Ask, asker
from tests.memory.embedders import Topics


@pytest.fixture
def ask(store: Store, clock: Clock) -> Ask:
    return asker(functions(MemoryEngine(store, clock=clock, quota=100_000)))


async def test_a_guest_adds_finds_changes_and_deletes_a_memory(ask: Ask) -> None:
    added = await ask("add_memory", {"content": "Ann drinks green tea", "metadata": {"cups": 2}})
    memory = added["memory"]
    assert (added["duplicate"], memory["user_id"], memory["version"]) == (False, "ann", 1)
    assert (await ask("get_memory", {"id": memory["id"]}))["memory"] == memory
    found = await ask("search_memories", {"query": "tea", "filters": {"cups": {"gte": 2}}})
    assert [result["memory"]["id"] for result in found["results"]] == [memory["id"]]
    assert (found["mode"], found["corrections"]) == ("lexical", {})
    changed = await ask("update_memory", {"id": memory["id"], "content": "Ann drinks coffee", "if_version": 1})
    assert changed["memory"]["version"] == 2
    assert (await ask("search_memories", {"query": "tea"}))["results"] == []
    assert await ask("delete_memory", {"id": memory["id"]}) == {"deleted": True}
    assert (await ask("get_memory", {"id": memory["id"]}))["code"] == "memory_not_found"


async def test_a_duplicate_is_told(ask: Ask) -> None:
    first = await ask("add_memory", {"content": "tea"})
    again = await ask("add_memory", {"content": "tea"})
    assert (again["duplicate"], again["memory"]["id"]) == (True, first["memory"]["id"])


async def test_the_user_is_the_caller_whatever_the_guest_says(ask: Ask) -> None:
    refused = await ask("add_memory", {"content": "tea", "user_id": "bob"})
    assert refused == {"code": "invalid_request", "error": "add_memory: 'user_id' is set by the host; leave it out"}
    assert (await ask("add_memory", {"content": "tea", "user_id": "ann"}))["memory"]["user_id"] == "ann"
    refused = await ask("search_memories", {"query": "tea", "filters": {"user_id": "bob"}})
    assert refused["code"] == "invalid_request"


@pytest.mark.parametrize("who", [{"principal": "bob"}, {"plugin": "other"}])
async def test_nobody_else_reaches_a_memory_by_its_id(ask: Ask, who: dict[str, str]) -> None:
    identifier = (await ask("add_memory", {"content": "tea"}))["memory"]["id"]
    assert (await ask("get_memory", {"id": identifier}, **who))["code"] == "memory_not_found"
    assert (await ask("update_memory", {"id": identifier, "content": "x"}, **who))["code"] == "memory_not_found"
    assert await ask("delete_memory", {"id": identifier}, **who) == {"deleted": False}
    assert (await ask("search_memories", {"query": "tea"}, **who))["results"] == []
    assert (await ask("get_memory", {"id": identifier}))["memory"]["content"] == "tea"


async def test_plugins_share_a_space_where_the_operator_says_so(store: Store) -> None:
    ask = asker(functions(MemoryEngine(store), space=lambda _: "shared"))
    identifier = (await ask("add_memory", {"content": "tea"}))["memory"]["id"]
    assert (await ask("get_memory", {"id": identifier}, plugin="other"))["memory"]["content"] == "tea"
    assert (await ask("get_memory", {"id": identifier}, principal="bob"))["code"] == "memory_not_found"


async def test_the_quota_is_named(ask: Ask) -> None:
    assert "memory" in await ask("add_memory", {"content": "x" * 60_000})
    refused = await ask("add_memory", {"content": "y" * 60_000})
    assert (refused["code"], refused["allowed"]) == ("limit_memory_bytes", 100_000)


async def test_an_explanation_comes_where_it_is_asked_for(ask: Ask) -> None:
    await ask("add_memory", {"content": "tea"})
    assert "explanation" not in (await ask("search_memories", {"query": "tea"}))["results"][0]
    explained = (await ask("search_memories", {"query": "tea", "explain": True}))["results"][0]
    assert set(explained["explanation"]["lexical"]) == {"bm25", "score", "terms"}


async def test_with_a_model_search_is_hybrid_and_without_it_meaning_is_refused(ask: Ask, store: Store) -> None:
    assert (await ask("search_memories", {"query": "x", "mode": "hybrid"}))["code"] == "embeddings_not_configured"
    clever = asker(functions(MemoryEngine(store, embedder=Topics())))
    await clever("add_memory", {"content": "my dog"})
    found = await clever("search_memories", {"query": "pet"})
    assert (found["mode"], found["results"][0]["memory"]["content"]) == ("hybrid", "my dog")


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("add_memory", {}),
        ("add_memory", {"content": 5}),
        ("add_memory", {"content": "x" * 65_537}),
        ("add_memory", {"content": "\ud800"}),
        ("add_memory", {"content": "x", "memory_type": "nonsense"}),
        ("add_memory", {"content": "x", "plugin": "other"}),
        ("get_memory", {}),
        ("get_memory", {"id": ""}),
        ("get_memory", {"id": "x" * 129}),
        ("update_memory", {"id": "x"}),
        ("update_memory", {"id": "x", "content": None}),
        ("delete_memory", {"id": 1}),
        ("search_memories", {}),
        ("search_memories", {"query": "x", "limit": 101}),
        ("search_memories", {"query": "x", "mode": "best"}),
        ("search_memories", {"query": "x", "filters": []}),
        ("search_memories", {"query": "x", "filters": {"a": {"like": "%"}}}),
        ("search_memories", {"query": "x", "threshold": 2}),
    ],
)
async def test_a_bad_request_is_refused_with_its_code(ask: Ask, name: str, request_: dict[str, Any]) -> None:
    refused = await ask(name, request_)
    assert refused["code"] == "invalid_request"
    assert refused["error"].startswith(f"{name}: ")

"""``search`` and ``embed`` as a guest sees them."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.capabilities.search import functions
from tests.capabilities.conftest import Ask, asker
from tests.memory.embedders import Topics

CANDIDATES = ["Ann drinks green tea", {"content": "The scheduler restarts", "id": 7}, {"text": "My dog"}]


@pytest.fixture
def ask() -> Ask:
    return asker(functions())


@pytest.fixture
def clever() -> Ask:
    return asker(functions(Topics()))


async def test_keywords_rank_by_bm25(ask: Ask) -> None:
    found = await ask("search", {"query": "green tea", "candidates": [*CANDIDATES, "Green car"]})
    assert [result["index"] for result in found["results"]] == [0, 3]
    assert found["results"][0]["candidate"] == CANDIDATES[0]
    assert found["mode"] == "keyword"
    assert 0 < found["results"][1]["score"] < found["results"][0]["score"] < 1


async def test_likeness_ranks_words_with_slips_in_them(ask: Ask) -> None:
    found = await ask("search", {"query": "shceduler", "candidates": CANDIDATES, "mode": "fuzzy"})
    assert [result["index"] for result in found["results"]] == [1]
    assert 0.6 < found["results"][0]["score"] < 1


async def test_meaning_ranks_where_a_model_is_configured(clever: Ask) -> None:
    found = await clever("search", {"query": "pet", "candidates": CANDIDATES, "mode": "semantic"})
    assert found["results"][0]["index"] == 2
    found = await clever("search", {"query": "pet dog", "candidates": CANDIDATES})
    assert (found["mode"], found["results"][0]["index"]) == ("hybrid", 2)
    assert found["results"][0]["score"] == pytest.approx(1)


async def test_without_a_model_meaning_is_refused(ask: Ask) -> None:
    for mode in ("semantic", "hybrid"):
        refused = await ask("search", {"query": "pet", "candidates": CANDIDATES, "mode": mode})
        assert refused["code"] == "embeddings_not_configured"
    assert (await ask("embed", {"texts": ["pet"]}))["code"] == "embeddings_not_configured"


async def test_embed_gives_unit_vectors_and_their_model(clever: Ask) -> None:
    answer = await clever("embed", {"texts": ["dog", "nothing"]})
    assert answer["model"] == "topics-4"
    assert [round(sum(value * value for value in vector), 6) for vector in answer["vectors"]] == [1, 1]


async def test_results_are_cut_at_the_limit_and_equal_ones_keep_their_order(ask: Ask) -> None:
    found = await ask("search", {"query": "tea", "candidates": ["tea", "x", "tea", "tea"], "limit": 2})
    assert [result["index"] for result in found["results"]] == [0, 2]


@pytest.mark.parametrize("query", ["", "the", "😀"])
async def test_a_query_without_words_ranks_nothing(ask: Ask, query: str) -> None:
    for mode in ("keyword", "fuzzy"):
        found = await ask("search", {"query": query, "candidates": ["plain"], "mode": mode})
        assert found["results"] == []


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("search", {}),
        ("search", {"query": "x"}),
        ("search", {"query": "x", "candidates": "x"}),
        ("search", {"query": "x", "candidates": [1]}),
        ("search", {"query": "x", "candidates": [{"id": 1}]}),
        ("search", {"query": "x", "candidates": [], "mode": "best"}),
        ("search", {"query": "x", "candidates": ["x"] * 1_001}),
        ("search", {"query": "x" * 4_097, "candidates": []}),
        ("search", {"query": " ".join(map(str, range(17))), "candidates": ["x"], "mode": "fuzzy"}),
        ("search", {"query": "x", "candidates": [" ".join(map(str, range(20_001)))], "mode": "fuzzy"}),
        ("embed", {"texts": []}),
        ("embed", {"texts": ["x"] * 257}),
    ],
)
async def test_a_bad_request_is_refused_with_its_code(ask: Ask, name: str, request_: dict[str, Any]) -> None:
    refused = await ask(name, request_)
    assert refused["code"] == "invalid_request"
    assert refused["error"].startswith(f"{name}: ")

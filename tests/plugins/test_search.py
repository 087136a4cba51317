"""The plugin ``search``, loaded as a server loads it, and compared with what others wrote."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any, cast

import bm25s  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler, Levenshtein

from mcp_server.host import PluginHost
from mcp_server.memory.analysis import terms_of
from mcp_server.registry.discovery import PluginFolders
from mcp_server.settings import Grant, Settings
from mcp_server.testing import Plugin, ToolFailed
from mcp_server.testing.fixtures import LoadPlugin
from tests.memory.models import write_word_table
from tests.requirements import requirement

pytestmark = pytest.mark.plugin("manifests/search")
ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    " ".join(paragraph.split())
    for page in sorted((ROOT / "docs").glob("*.md"))
    for paragraph in page.read_text("utf-8").split("\n\n")
    if len(paragraph) > 80
][:300]
QUERIES = [
    "how much memory may a plugin have",
    "who may hook a search of memories",
    "Budgets of tokens & costs: per day?",
    "capability denied, grants in the operator's configuration",
    "server process workers sandbox limits",
]


def reference(query: str, k1: float, b: float) -> list[float]:
    """BM25 by another implementation; it leaves the factor ``k1 + 1`` out."""
    other: Any = bm25s.BM25(method="lucene", k1=k1, b=b)
    other.index([terms_of(text) for text in TEXTS], show_progress=False)
    known = [term for term in dict.fromkeys(terms_of(query)) if term in other.vocab_dict]
    return cast("list[float]", (np.asarray(other.get_scores(known)) * (k1 + 1)).tolist())


@requirement("plugins:search")
@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (2.0, 0.3)])
@pytest.mark.parametrize("query", QUERIES)
def test_keywords_score_as_a_reference_does(plugin: Plugin, query: str, k1: float, b: float) -> None:
    expected = reference(query, k1, b)
    found = plugin.call("search", query=query, candidates=TEXTS, mode="keyword", k1=k1, b=b, limit=300)["results"]
    scores: dict[int, float] = {one["index"]: one["parts"]["bm25"] for one in found}
    assert set(scores) == {index for index, score in enumerate(expected) if score > 0}
    assert all(math.isclose(score, expected[index], rel_tol=1e-4) for index, score in scores.items())
    assert all(first >= second for first, second in itertools.pairwise(scores.values()))


@requirement("plugins:search")
@settings(max_examples=60, deadline=None, database=None)
@given(a=st.text("abcé茶 ", max_size=30), b=st.text("abcé茶 ", max_size=30))
def test_slips_are_counted_as_a_reference_counts_them(plugin: Plugin, a: str, b: str) -> None:
    for method, other in (("levenshtein", Levenshtein), ("damerau_levenshtein", DamerauLevenshtein)):
        told = plugin.call("compute_similarity", a=a, b=b, method=method)
        assert told["distance"] == other.distance(a, b)
        assert told["similarity"] == pytest.approx(other.normalized_similarity(a, b))
    told = plugin.call("compute_similarity", a=a, b=b, method="jaro_winkler")
    assert told["similarity"] == pytest.approx(JaroWinkler.similarity(a, b))


def test_words_are_found_in_every_writing(plugin: Plugin) -> None:
    texts = ["我喜欢绿茶", "Un café au lait", "Die STRASSE ist lang", "ภาษาไทยง่าย", "Привет, мир"]
    for query, index in [("绿茶", 0), ("CAFE", 1), ("straße", 2), ("ไทย", 3), ("МИР", 4)]:
        found = plugin.call("search", query=query, candidates=texts, mode="keyword")["results"]
        assert [one["index"] for one in found] == [index], query


def test_slips_are_forgiven_by_spelling_alone(plugin: Plugin) -> None:
    asked: dict[str, Any] = {
        "query": "recieve teh pakage",
        "candidates": ["to receive the package", "to send a letter"],
    }
    assert plugin.call("search", asked, mode="keyword")["results"] == []
    (found,) = plugin.call("search", asked, mode="fuzzy")["results"]
    assert {(one["asked"], one["found"]) for one in found["parts"]["words"]} == {
        ("recieve", "receive"),
        ("pakage", "package"),
    }


@requirement("plugins:search")
def test_meaning_is_refused_clearly_where_there_is_no_grant_or_no_model(
    plugin: Plugin, load_plugin: LoadPlugin
) -> None:
    granted = load_plugin("manifests/search", grants={"capabilities": ["SearchAccess"]})
    for loaded, reason in ((plugin, "SearchAccess, which is not granted"), (granted, "no embedding model")):
        for mode in ("semantic", "hybrid"):
            with pytest.raises(ToolFailed, match=reason):
                loaded.call("search", query="tea", candidates=["tea"], mode=mode)
        with pytest.raises(ToolFailed, match=reason):
            loaded.call("compute_similarity", a="tea", b="coffee", method="semantic")
        told = loaded.call("search", query="tea", candidates=["tea"])
        assert told["mode"] == "lexical"
        assert reason in told["note"]


@requirement("plugins:search")
def test_meaning_comes_from_the_hosts_model(load_plugin: LoadPlugin, tmp_path: Path) -> None:
    table = {"provider": "model2vec", "path": str(write_word_table(tmp_path / "table"))}
    loaded = load_plugin(
        "manifests/search", grants={"capabilities": ["SearchAccess"]}, settings={"memory": {"embeddings": table}}
    )
    texts = ["The dog barks", "Ann brews coffee", "A late train"]
    told = loaded.call("search", query="beverage", candidates=texts, mode="semantic")
    assert told["results"][0]["index"] == 1
    assert loaded.call("search", query="pet train", candidates=texts)["mode"] == "hybrid"
    same = loaded.call("compute_similarity", a="coffee", b="beverage", method="semantic")
    assert same["similarity"] == pytest.approx(1.0, abs=1e-3)
    many = loaded.call("search", query="beverage", candidates=["A late train"] * 600 + texts, mode="semantic")
    assert many["results"][0]["index"] == 601


def test_results_without_scores_are_reranked_and_a_mix_is_refused(plugin: Plugin) -> None:
    texts = ["The green bike, the door, a cup of tea", "Ann drinks green tea"]
    told = plugin.call("rerank", query="green tea", results=[{"text": text} for text in texts])
    assert [one["index"] for one in told["results"]] == [1, 0]
    with pytest.raises(ToolFailed, match="give one to each, or to none"):
        plugin.call("rerank", query="tea", results=[{"text": "tea", "score": 1}, {"text": "tea"}])


def test_what_is_too_much_is_refused(plugin: Plugin) -> None:
    with pytest.raises(ToolFailed, match="at most 1000"):
        plugin.call_export("search", {"query": "x", "candidates": ["x"] * 1001})
    with pytest.raises(ToolFailed, match="2000"):
        plugin.call("compute_similarity", a="x" * 2001, b="x")
    with pytest.raises(ToolFailed, match="At most 16|at most 16"):
        plugin.call("search", query=" ".join(f"word{number}" for number in range(17)), candidates=["x"], mode="fuzzy")


def test_the_largest_requests_stay_within_the_limits(plugin: Plugin) -> None:
    words = [f"{first}{second}zz{number:03}" for first in "abcdefgh" for second in "ijkl" for number in range(157)]
    texts = [" ".join(words[at : at + 500]) for at in range(0, 5_000, 500)]
    query = " ".join(words[: 16 * 313 : 314])
    for mode in ("keyword", "fuzzy", "lexical"):
        assert len(plugin.call("search", query=query, candidates=texts, mode=mode)["results"]) == 10
    long = ["green tea and a bike " * 4000] * 11
    assert len(plugin.call("search", query="green bike", candidates=long, mode="keyword", limit=1000)["results"]) == 11
    assert plugin.call("compute_similarity", a="ab" * 1000, b="ba" * 1000)["distance"] == 2
    assert plugin.call("compute_similarity", a="ab" * 5000, b="ba" * 5000, method="levenshtein")["distance"] == 2


@requirement("plugins:search-hook")
async def test_memories_are_reranked_where_the_hook_is_granted(cache: Path, tmp_path: Path) -> None:
    folders = PluginFolders(plugins=(ROOT / "plugins",), manifests=(ROOT / "manifests",))
    noise = [f"The green bike number {number} and a cup of tea, tea and more tea" for number in range(30)]
    found: dict[bool, list[dict[str, Any]]] = {}
    for granted in (False, True):
        config = Settings(grants={"search": Grant(hooks=granted)})
        data = tmp_path / str(granted)
        async with PluginHost(config, folders, cache=cache / "cache", data=data) as host:
            for content in [*noise, "In the morning and also in the evening Ann drinks a cup of strong green tea"]:
                await host.call_tool("memory__add", {"content": content})
            answer = await host.call_tool("memory__search", {"query": "green tea", "limit": 5})
            found[granted] = answer.structured["results"]
    assert [len(results) for results in found.values()] == [5, 5]
    assert "Ann drinks" not in str(found[False])
    assert "Ann drinks" in found[True][0]["memory"]["content"]
    reasons = found[True][0]["annotations"]["search"]
    assert reasons["phrases"] == ["green tea"]
    assert 0 < reasons["search_score"] < found[True][0]["score"] <= 1

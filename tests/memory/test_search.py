"""Searching: what is found, in which order, by which mode, and why."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors import AgentMemError
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.errors import EmbeddingsNotConfigured, InvalidRequest
from mcp_server.memory.requests import AddMemory, SearchMemories, UpdateMemory
from mcp_server.memory.search import Found
from tests.backends.conftest import Clock
from tests.memory.embedders import Topics

ME = ("ann", "notes")
HOSTILE = (
    '"', "'", '" OR "', "a-b", "AND", "NOT", "NEAR(a b)", "t:x", "scope:zz1", "zz1", "*", "^tea", "tea*", "(",
    ")" * 300,
    "tea' OR 1=1 --", "; DROP TABLE memories", "%", "_", "\\", "{t scope}:x", "tea\" OR scope:\"zz2", "a+b", "$.x",
    "\ud7ff", "x" * 10_000, "tea " * 5_000, "-tea", "scope : zz2", "? ?1 :principal @x",
)  # fmt: skip


def add(engine: MemoryEngine, *contents: str, owner: tuple[str, str] = ME, **more: Any) -> None:
    for content in contents:
        engine.add(*owner, AddMemory(content=content, **more))


def search(engine: MemoryEngine, query: str, **more: Any) -> Found:
    return engine.search(*ME, SearchMemories(query=query, **more))


def contents(found: Found) -> list[str]:
    return [hit.record.content for hit in found.hits]


def test_one_word_of_the_question_is_enough_and_more_rank_higher(engine: MemoryEngine) -> None:
    add(engine, "Ann drinks green tea", "Bob drinks coffee", "The garden is green", "Tea")
    found = search(engine, "what green tea does she like to drink?")
    assert contents(found)[0] == "Ann drinks green tea"
    assert set(contents(found)) == {"Ann drinks green tea", "Bob drinks coffee", "The garden is green", "Tea"}
    assert found.mode == "lexical"


def test_a_word_that_every_memory_has_still_finds_and_scores_above_zero(engine: MemoryEngine) -> None:
    add(engine, "tea")
    hit = search(engine, "tea").hits[0]
    assert 0 < hit.score < 1


@pytest.mark.parametrize(
    ("stored", "query"),
    [
        ("我喜欢喝绿茶", "绿茶"),
        ("東京タワーに行った", "東京"),
        ("Je bois un café crème", "cafe creme"),
        ("Je bois un cafe creme", "CAFÉ CRÈME"),
        ("한국어를 배운다", "한국어"),
        ("Она любит чай", "ЧАЙ"),
        ("हिन्दी सीखना", "हिन्दी"),
        ("ฉันชอบชา", "ชอบ"),
        ("The configuration of the scheduler", "configurations"),
    ],
)
def test_words_are_found_in_other_scripts_accents_and_forms(engine: MemoryEngine, stored: str, query: str) -> None:
    add(engine, stored, "something else entirely", "完全不同")
    assert contents(search(engine, query))[0] == stored


def test_a_typo_is_read_as_the_word_that_was_meant(engine: MemoryEngine) -> None:
    add(engine, "The scheduler restarts at midnight", "Ann likes tea")
    found = search(engine, "shceduler midnigt")
    assert contents(found) == ["The scheduler restarts at midnight"]
    assert found.corrections == {"shcedul": "schedul", "midnigt": "midnight"}


def test_a_typo_is_never_corrected_to_a_word_of_somebody_else(engine: MemoryEngine) -> None:
    add(engine, "The scheduler restarts", owner=("bob", "notes"))
    add(engine, "The scheduler restarts", owner=("ann", "other"))
    add(engine, "Ann likes tea")
    found = search(engine, "shceduler")
    assert (found.hits, found.corrections) == ([], {})


def test_scores_and_order_do_not_depend_on_what_others_store(engine: MemoryEngine) -> None:
    add(engine, "green tea", "black tea", "green car")
    before = search(engine, "green tea", explain=True)
    add(engine, *[f"green number {n}" for n in range(50)], owner=("bob", "notes"))
    after = search(engine, "green tea", explain=True)
    assert [(hit.record.id, hit.score) for hit in after.hits] == [(hit.record.id, hit.score) for hit in before.hits]


@pytest.mark.parametrize("query", HOSTILE)
def test_a_hostile_query_is_only_words(engine: MemoryEngine, query: str) -> None:
    add(engine, "secret of bob, zz1 zz2 tea principal", owner=("bob", "notes"))
    add(engine, "nothing here to see")
    found = search(engine, query)
    assert set(contents(found)) <= {"nothing here to see"}


@pytest.mark.parametrize("value", [text[:4_000] for text in HOSTILE if text != "NOT"])
def test_a_hostile_filter_value_or_name_is_only_a_value(engine: MemoryEngine, value: str) -> None:
    add(engine, "secret", owner=("bob", "notes"), metadata={"k": value})
    add(engine, "mine", metadata={"k": value, "other": 1})
    for operator in ("eq", "contains", "icontains"):
        assert contents(search(engine, "", filters={"k": {operator: value}})) == ["mine"]
    try:
        found = search(engine, "", filters={value: {"eq": 1}})
    except InvalidRequest:
        return
    assert found.hits == []


def test_a_question_without_words_gives_the_newest_and_says_so(engine: MemoryEngine, clock: Clock) -> None:
    for content in ("first", "second", "third"):
        add(engine, content)
        clock.tick(1)
    found = search(engine, "how is the", limit=2)
    assert (contents(found), found.mode) == (["third", "second"], "recent")


def test_equal_scores_are_ordered_by_age_then_id(engine: MemoryEngine, clock: Clock) -> None:
    for number in range(6):
        add(engine, f"tea {number}")
        clock.tick(number % 2)
    hits = search(engine, "tea").hits
    assert [(hit.record.created_at, hit.record.id) for hit in hits] == sorted(
        [(hit.record.created_at, hit.record.id) for hit in hits], key=lambda pair: (-pair[0], pair[1])
    )


def test_a_threshold_leaves_out_what_scores_lower(engine: MemoryEngine) -> None:
    add(engine, "green tea from Kyoto", "green", *[f"filler {n}" for n in range(20)])
    scores = [hit.score for hit in search(engine, "green tea Kyoto").hits]
    assert contents(search(engine, "green tea Kyoto", threshold=scores[0])) == ["green tea from Kyoto"]
    assert contents(search(engine, "green tea Kyoto", threshold=1)) == []


def test_an_explanation_adds_up_to_the_score(engine: MemoryEngine) -> None:
    add(engine, "green tea", "black tea")
    hit = search(engine, "green tea", explain=True).hits[0]
    assert hit.explanation is not None
    lexical = hit.explanation["lexical"]
    assert lexical["bm25"] == pytest.approx(sum(lexical["terms"].values()))
    assert hit.score == lexical["score"] == pytest.approx(lexical["bm25"] / (lexical["bm25"] + 4))
    assert set(lexical["terms"]) == {"green", "tea"}


def test_expired_memories_are_hidden_unless_asked_for(engine: MemoryEngine, clock: Clock) -> None:
    add(engine, "tea", ttl_seconds=1)
    clock.tick(1)
    assert search(engine, "tea").hits == []
    assert contents(search(engine, "tea", include_expired=True)) == ["tea"]


def test_types_agents_runs_and_filters_narrow_a_search(engine: MemoryEngine) -> None:
    add(engine, "tea one", memory_type="episodic", agent_id="a", metadata={"cups": 1})
    add(engine, "tea two", memory_type="core", run_id="r", metadata={"cups": 2})
    assert contents(search(engine, "tea", memory_types=["episodic"])) == ["tea one"]
    assert contents(search(engine, "tea", agent_id="a")) == ["tea one"]
    assert contents(search(engine, "tea", run_id="r")) == ["tea two"]
    assert contents(search(engine, "tea", filters={"cups": {"gt": 1}})) == ["tea two"]


def test_without_a_model_meaning_is_refused_and_auto_is_lexical(engine: MemoryEngine) -> None:
    for mode in ("semantic", "hybrid"):
        with pytest.raises(EmbeddingsNotConfigured):
            search(engine, "tea", mode=mode)
    assert search(engine, "tea", mode="auto").mode == "lexical"


@pytest.fixture
def clever(engine: MemoryEngine) -> MemoryEngine:
    return MemoryEngine(engine.store, embedder=Topics())


def test_with_a_model_a_question_is_found_by_meaning(clever: MemoryEngine) -> None:
    add(clever, "She brews coffee", "A dog barks", "The train is late")
    found = search(clever, "beverage")
    assert (contents(found)[0], found.mode) == ("She brews coffee", "hybrid")
    assert contents(search(clever, "beverage", mode="semantic", threshold=0.5)) == ["She brews coffee"]
    assert search(clever, "beverage", mode="lexical").hits == []


def test_both_sides_together_rank_above_one(clever: MemoryEngine) -> None:
    add(clever, "pet shop", "my cat", "a pet is an animal", "tea shop")
    found = search(clever, "pet", explain=True)
    assert contents(found)[0] in {"pet shop", "a pet is an animal"}
    explanation = found.hits[0].explanation
    assert explanation is not None
    assert set(explanation) == {"score", "lexical", "semantic"}


def test_a_changed_text_is_found_by_its_new_meaning(clever: MemoryEngine) -> None:
    add(clever, "my dog")
    identifier = search(clever, "pet").hits[0].record.id
    clever.update(*ME, UpdateMemory(id=identifier, content="my car"))
    assert contents(search(clever, "pet", mode="semantic", threshold=0.5)) == []
    assert contents(search(clever, "travel", mode="semantic", threshold=0.5)) == ["my car"]


def test_a_memory_is_kept_when_the_model_is_away_and_embedded_later(engine: MemoryEngine) -> None:
    embedder = Topics()
    embedder.fails = True
    clever = MemoryEngine(engine.store, embedder=embedder)
    add(clever, "my dog")
    assert contents(search(clever, "dog", mode="lexical")) == ["my dog"]
    embedder.fails = False
    assert clever.embed_missing(*ME) == 1
    assert clever.embed_missing(*ME) == 0
    assert contents(search(clever, "pet", mode="semantic")) == ["my dog"]


def test_what_has_no_vector_of_this_model_is_counted_and_found_by_words(engine: MemoryEngine) -> None:
    add(engine, "my dog", "my tea")
    clever = MemoryEngine(engine.store, embedder=Topics())
    add(clever, "my cat")
    found = search(clever, "dog")
    assert (contents(found)[0], found.mode, found.uncovered) == ("my dog", "hybrid", 2)
    assert search(clever, "dog", mode="lexical").uncovered == 0
    assert clever.embed_missing(*ME) == 2
    assert search(clever, "dog").uncovered == 0


def test_a_new_model_begins_without_vectors_and_never_compares_with_the_old(clever: MemoryEngine) -> None:
    add(clever, "my dog")
    other = Topics()
    other.model = "topics-5"
    changed = MemoryEngine(clever.store, embedder=other)
    found = search(changed, "pet", mode="semantic")
    assert (contents(found), found.uncovered) == ([], 1)
    assert changed.embed_missing(*ME) == 1
    assert contents(search(changed, "pet", mode="semantic")) == ["my dog"]


def test_auto_goes_by_words_while_the_model_is_away_and_says_so(engine: MemoryEngine) -> None:
    embedder = Topics()
    clever = MemoryEngine(engine.store, embedder=embedder)
    add(clever, "my dog")
    embedder.fails = True
    assert (contents(search(clever, "dog")), search(clever, "dog").mode) == (["my dog"], "lexical")
    for mode in ("semantic", "hybrid"):
        with pytest.raises(AgentMemError):
            search(clever, "dog", mode=mode)
    embedder.fails = False
    assert search(clever, "dog").mode == "hybrid"


def test_a_fused_score_is_seven_tenths_words_and_three_tenths_meaning(clever: MemoryEngine) -> None:
    add(clever, "pet shop", "my cat", "a pet barks loudly at night", "tea shop")
    hits = {hit.record.content: hit for hit in search(clever, "pet", explain=True).hits}
    lexical = {name: (hit.explanation or {}).get("lexical", {}).get("bm25") for name, hit in hits.items()}
    cosines = {name: (hit.explanation or {})["semantic"]["cosine"] for name, hit in hits.items()}
    found = [value for value in lexical.values() if value is not None]
    for name, hit in hits.items():
        words = lexical[name]
        nearness = (cosines[name] - min(cosines.values())) / (max(cosines.values()) - min(cosines.values()))
        wording = 0.0 if words is None else (words - min(found)) / (max(found) - min(found))
        assert hit.score == pytest.approx(0.7 * wording + 0.3 * nearness)


def test_the_only_exact_hit_keeps_its_whole_weight(clever: MemoryEngine) -> None:
    add(clever, "zebra crossing", "my dog", "the cat", "a pet")
    hit = search(clever, "zebra", explain=True).hits[0]
    assert hit.record.content == "zebra crossing"
    assert hit.score >= 0.7


def test_a_threshold_is_compared_with_the_sides_and_not_with_the_fused_score(clever: MemoryEngine) -> None:
    add(clever, "my dog", "green tea", "the train")
    found = search(clever, "pet", threshold=0.9)
    assert contents(found) == ["my dog"]
    assert contents(search(clever, "unheard", threshold=0.2, mode="hybrid")) == contents(
        search(clever, "unheard", threshold=0.2, mode="semantic")
    )

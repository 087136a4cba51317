"""What every store keeps, whatever database is behind it; see ``mcp_server/backends/base.py``."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from operator import mul
from typing import Any

import pytest

from mcp_server.backends.base import Store
from mcp_server.backends.conditions import AllOf, AnyOf, Column, Comparison, Condition, Path, Without
from mcp_server.backends.errors import BudgetReached, ConfirmationNeeded, MemoryNotFound, QuotaReached, VersionConflict
from mcp_server.backends.values import Budget, Entry, MemoryChanges, MemoryRecord, NewMemory, NewVector, Spending
from mcp_server.memory.analysis import analyze
from mcp_server.memory.model import content_hash
from tests.backends.conftest import MORNING, PLENTY, SECOND, Clock

ME, APP = "ann", "notes"
EVERYTHING = AllOf(())


def memory(content: str, identifier: str = "", **fields: Any) -> NewMemory:
    values: dict[str, Any] = {
        "id": identifier or f"id of {content}",
        "content": content,
        "analyzed": analyze(content),
        "hash": content_hash(content),
        "memory_type": "semantic",
        "created_at": MORNING,
        "updated_at": MORNING,
        "metadata": {},
    }
    return NewMemory(**values | fields)


def named(value: Condition | set[str]) -> str:
    """The name of a parameter, the same in every process: the order of a set is not."""
    return str(sorted(value)) if isinstance(value, set) else str(value)


def add(store: Store, *memories: NewMemory, principal: str = ME, plugin: str = APP) -> None:
    store.memories.add(principal, plugin, memories, quota=PLENTY)


def content_change(text: str, at: int = MORNING + 1) -> MemoryChanges:
    return MemoryChanges({"content": text, "analyzed": analyze(text), "hash": content_hash(text)}, at)


def vector(identifier: str, content: str, *values: float) -> NewVector:
    return NewVector(identifier, content_hash(content), values)


def ids(store: Store, condition: Condition, now: int = MORNING) -> set[str]:
    return {record.id for record in store.memories.page(ME, APP, condition, after=None, limit=100, now=now)}


def matching(store: Store, query: str, condition: Condition = EVERYTHING, limit: int = 50) -> list[str]:
    found = store.memories.match(ME, APP, analyze(query).split(), condition, limit=limit, now=MORNING)
    return [one.record.id for one in found]


# Values under keys


def test_a_value_comes_back_as_it_was_stored(store: Store) -> None:
    assert store.keys.load(ME, APP, "k") is None
    version = store.keys.store(ME, APP, "k", b"\x00\xff", quota=PLENTY)
    found = store.keys.load(ME, APP, "k")
    assert found is not None
    assert (found.value, found.version, found.expires_at) == (b"\x00\xff", version, None)


def test_a_version_rises_with_every_write_and_never_comes_twice(store: Store) -> None:
    versions = [store.keys.store(ME, APP, "k", b"1", quota=PLENTY) for _ in range(3)]
    store.keys.delete(ME, APP, "k")
    versions.append(store.keys.store(ME, APP, "k", b"1", quota=PLENTY))
    assert versions == sorted(set(versions))


def test_a_conditional_write_meets_its_version_or_changes_nothing(store: Store) -> None:
    version = store.keys.store(ME, APP, "k", b"1", quota=PLENTY, if_version=0)
    with pytest.raises(VersionConflict) as conflict:
        store.keys.store(ME, APP, "k", b"2", quota=PLENTY, if_version=0)
    assert conflict.value.data == {"expected": 0, "actual": version}
    with pytest.raises(VersionConflict):
        store.keys.delete(ME, APP, "k", if_version=version + 1)
    found = store.keys.load(ME, APP, "k")
    assert found is not None
    assert found.value == b"1"
    assert store.keys.delete(ME, APP, "k", if_version=version)
    assert not store.keys.delete(ME, APP, "k")


def test_an_expired_value_is_gone_for_reads_lists_and_conditions(store: Store, clock: Clock) -> None:
    store.keys.store(ME, APP, "k", b"1", quota=PLENTY, expires_at=clock.now + SECOND)
    assert store.keys.load(ME, APP, "k") is not None
    clock.tick(1)
    assert store.keys.load(ME, APP, "k") is None
    assert store.keys.list(ME, APP, prefix="", after="", limit=9) == []
    assert not store.keys.delete(ME, APP, "k")
    store.keys.store(ME, APP, "k", b"2", quota=PLENTY, if_version=0)


def test_the_quota_counts_keys_and_values_to_the_byte(store: Store) -> None:
    store.keys.store(ME, APP, "kä", b"12345", quota=8)
    assert store.keys.used(ME, APP) == 8
    with pytest.raises(QuotaReached) as reached:
        store.keys.store(ME, APP, "b", b"", quota=8)
    assert reached.value.error_code == "limit_kv_bytes"
    assert reached.value.data == {"limit": "kv_bytes", "allowed": 8, "used": 9}
    assert store.keys.load(ME, APP, "b") is None
    store.keys.store(ME, APP, "kä", b"1", quota=8)
    store.keys.store(ME, APP, "b", b"123", quota=8)
    assert store.keys.used(ME, APP) == 8


def test_a_value_may_shrink_under_a_quota_that_was_lowered(store: Store) -> None:
    store.keys.store(ME, APP, "k", b"12345", quota=PLENTY)
    store.keys.store(ME, APP, "k", b"1", quota=1)


def test_expired_values_make_room_when_the_quota_is_reached(store: Store, clock: Clock) -> None:
    store.keys.store(ME, APP, "old", b"12345", quota=8, expires_at=clock.now + 1)
    clock.tick(1)
    store.keys.store(ME, APP, "new", b"12345", quota=8)
    assert store.keys.used(ME, APP) == 8


def test_what_has_expired_of_others_makes_no_room(store: Store, clock: Clock) -> None:
    store.keys.store("bob", APP, "old", b"12345", quota=8, expires_at=clock.now + 1)
    store.keys.store(ME, "other", "old", b"12345", quota=8, expires_at=clock.now + 1)
    clock.tick(1)
    store.keys.store(ME, APP, "k", b"1234567", quota=8)
    with pytest.raises(QuotaReached):
        store.keys.store(ME, APP, "new", b"1", quota=8)
    assert store.keys.used("bob", APP) == 8
    assert store.maintain(now=clock.now) == 2
    assert store.keys.used("bob", APP) == 0


def test_an_expired_value_is_overwritten_within_the_quota(store: Store, clock: Clock) -> None:
    store.keys.store(ME, APP, "k", b"12345", quota=6, expires_at=clock.now + 1)
    clock.tick(1)
    store.keys.store(ME, APP, "k", b"54321", quota=6)
    assert store.keys.used(ME, APP) == 6


def test_keys_are_listed_by_prefix_in_order_a_page_at_a_time(store: Store) -> None:
    for key in ("b", "a%", "a_", "a", "aé", "a\U0010ffff", "a\U0010ffff2", "\U0010ffff"):
        store.keys.store(ME, APP, key, key.encode(), quota=PLENTY)
    everything = [entry.key for entry in store.keys.list(ME, APP, prefix="", after="", limit=99)]
    assert everything == sorted(everything)
    below_a = [entry.key for entry in store.keys.list(ME, APP, prefix="a", after="", limit=99)]
    assert below_a == [key for key in everything if key.startswith("a")]
    assert [entry.key for entry in store.keys.list(ME, APP, prefix="a\U0010ffff", after="", limit=9)] == below_a[-2:]
    assert [entry.key for entry in store.keys.list(ME, APP, prefix="\U0010ffff", after="", limit=9)] == ["\U0010ffff"]
    assert [entry.key for entry in store.keys.list(ME, APP, prefix="%", after="", limit=9)] == []
    first = store.keys.list(ME, APP, prefix="a", after="", limit=2)
    assert [one.key for one in store.keys.list(ME, APP, prefix="a", after=first[-1].key, limit=2)] == below_a[2:4]
    assert first[0] == Entry("a", 1, first[0].version, None)


@pytest.mark.parametrize("other", [("bob", APP), (ME, "other"), ("annnotes", ""), ("", "annnotes")])
def test_nobody_reaches_the_values_of_another_principal_or_plugin(store: Store, other: tuple[str, str]) -> None:
    store.keys.store(ME, APP, "k", b"mine", quota=PLENTY)
    assert store.keys.load(*other, "k") is None
    assert store.keys.list(*other, prefix="", after="", limit=9) == []
    assert not store.keys.delete(*other, "k")
    store.keys.store(*other, "k", b"theirs", quota=PLENTY, if_version=0)
    assert store.keys.used(*other) == 7
    mine = store.keys.load(ME, APP, "k")
    assert mine is not None
    assert mine.value == b"mine"


def test_writers_at_once_each_get_a_version_of_their_own(store: Store) -> None:
    versions: list[int] = []

    def write() -> None:
        versions.extend(store.keys.store(ME, APP, "k", b"1", quota=PLENTY) for _ in range(50))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(versions)) == 200


# Memories


def test_a_memory_comes_back_as_it_was_stored(store: Store) -> None:
    new = memory(
        "Tee, 茶, чай",
        agent_id="a",
        run_id="r",
        metadata={"tags": ["x"], "ü": {"n": 1.5}},
        importance=0.5,
        expires_at=MORNING + SECOND,
        memory_type="episodic",
    )
    outcome = store.memories.add(ME, APP, [new], quota=PLENTY)[0]
    expected = MemoryRecord(
        new.id,
        "Tee, 茶, чай",
        "episodic",
        ME,
        "a",
        "r",
        {"tags": ["x"], "ü": {"n": 1.5}},
        MORNING,
        MORNING,
        new.hash,
        1,
        MORNING + SECOND,
        0.5,
    )
    assert (outcome.record, outcome.duplicate) == (expected, False)
    assert store.memories.get(ME, APP, new.id, now=MORNING) == expected


def test_the_same_content_of_the_same_agent_and_run_is_stored_once(store: Store) -> None:
    first = memory("tea", "1", agent_id="a")
    outcomes = store.memories.add(ME, APP, [first, first._replace(id="2")], quota=PLENTY)
    assert [(one.record.id, one.duplicate) for one in outcomes] == [("1", False), ("1", True)]
    elsewhere = [memory("tea", "3"), memory("tea", "4", agent_id="a", run_id="r"), memory("Tea", "5", agent_id="a")]
    assert [one.duplicate for one in store.memories.add(ME, APP, elsewhere, quota=PLENTY)] == [False] * 3
    assert not store.memories.add("bob", APP, [first], quota=PLENTY)[0].duplicate


def test_what_has_expired_is_no_duplicate(store: Store) -> None:
    add(store, memory("tea", "1", expires_at=MORNING + 1))
    later = memory("tea", "2", created_at=MORNING + 1, updated_at=MORNING + 1)
    assert not store.memories.add(ME, APP, [later], quota=PLENTY)[0].duplicate


def test_an_id_that_is_there_is_not_written_again(store: Store) -> None:
    add(store, memory("tea", "1"))
    outcome = store.memories.add(ME, APP, [memory("coffee", "1")], quota=PLENTY)[0]
    assert (outcome.record.content, outcome.duplicate) == ("tea", True)


def test_many_are_stored_together_or_not_at_all(store: Store) -> None:
    with pytest.raises(QuotaReached) as reached:
        store.memories.add(ME, APP, [memory(f"text {number}") for number in range(100)], quota=10_000)
    assert reached.value.error_code == "limit_memory_bytes"
    assert store.memories.stats(ME, APP).records == 0
    assert matching(store, "text") == []


def test_an_update_raises_the_version_and_keeps_what_was(store: Store) -> None:
    add(store, memory("tea", "1", importance=0.2))
    changed = store.memories.update(ME, APP, "1", MemoryChanges({"importance": 0.9}, MORNING + 5), quota=PLENTY)
    assert (changed.version, changed.updated_at, changed.importance) == (2, MORNING + 5, 0.9)
    assert changed.content == "tea"
    history = store.memories.history(ME, APP, "1", limit=9)
    assert [(one.version, one.operation, one.before) for one in history] == [
        (2, "update", {"importance": 0.2}),
        (1, "add", None),
    ]


def test_new_content_is_found_and_the_old_is_not(store: Store) -> None:
    add(store, memory("green tea", "1"))
    store.memories.update(ME, APP, "1", content_change("black coffee"), quota=PLENTY)
    assert matching(store, "coffee") == ["1"]
    assert matching(store, "tea") == []
    assert store.memories.vocabulary(ME, APP, ["tea", "coffe"]).documents == {"coffe": 1}


def test_a_conditional_update_meets_its_version_or_changes_nothing(store: Store) -> None:
    add(store, memory("tea", "1"))
    with pytest.raises(VersionConflict):
        store.memories.update(ME, APP, "1", content_change("coffee"), quota=PLENTY, if_version=2)
    assert matching(store, "tea") == ["1"]
    store.memories.update(ME, APP, "1", content_change("coffee"), quota=PLENTY, if_version=1)


def test_an_update_or_delete_of_nothing_says_so(store: Store) -> None:
    with pytest.raises(MemoryNotFound):
        store.memories.update(ME, APP, "1", content_change("x"), quota=PLENTY)
    add(store, memory("tea", "1", expires_at=MORNING + 1))
    with pytest.raises(MemoryNotFound):
        store.memories.update(ME, APP, "1", content_change("x", MORNING + 1), quota=PLENTY)
    assert not store.memories.delete(ME, APP, "2", at=MORNING)
    assert not store.memories.delete(ME, APP, "1", at=MORNING + 1)
    with pytest.raises(VersionConflict):
        store.memories.delete(ME, APP, "2", at=MORNING, if_version=1)


def test_what_is_deleted_is_neither_read_nor_found_and_its_history_stays(store: Store) -> None:
    add(store, memory("green tea", "1"), memory("black tea", "2"))
    assert store.memories.delete(ME, APP, "1", at=MORNING, if_version=1)
    assert store.memories.get(ME, APP, "1", now=0) is None
    assert matching(store, "tea") == ["2"]
    last = store.memories.history(ME, APP, "1", limit=1)[0]
    assert last.operation == "delete"
    assert last.before is not None
    assert last.before["content"] == "green tea"


def test_many_are_deleted_only_when_their_number_is_said(store: Store) -> None:
    add(store, memory("a", "1"), memory("b", "2"), memory("c", "3", memory_type="core"))
    plain = Comparison(Column("memory_type"), "eq", "semantic")
    for wrong in (None, 1, 3):
        with pytest.raises(ConfirmationNeeded) as needed:
            store.memories.delete_where(ME, APP, plain, at=MORNING, expected=wrong)
        assert needed.value.data == {"count": 2}
    assert store.memories.delete_where(ME, APP, plain, at=MORNING, expected=2) == 2
    assert ids(store, EVERYTHING) == {"3"}
    assert store.memories.delete_where(ME, APP, plain, at=MORNING, expected=None) == 0


def test_pages_come_newest_first_and_leave_out_nothing(store: Store) -> None:
    add(store, *[memory(f"m{n}", f"{n:02}", created_at=MORNING + n // 3) for n in range(20)])
    seen: list[str] = []
    after = None
    while page := store.memories.page(ME, APP, EVERYTHING, after=after, limit=6, now=MORNING):
        seen += [record.id for record in page]
        after = (page[-1].created_at, page[-1].id)
    assert seen == [f"{n:02}" for n in reversed(range(20))]


def test_what_has_expired_is_hidden_unless_time_is_left_out(store: Store) -> None:
    add(store, memory("tea", "1", expires_at=MORNING + 1))
    assert ids(store, EVERYTHING, now=MORNING) == {"1"}
    assert ids(store, EVERYTHING, now=MORNING + 1) == set()
    assert ids(store, EVERYTHING, now=0) == {"1"}
    assert store.memories.get(ME, APP, "1", now=MORNING + 1) is None


def test_a_match_needs_one_term_and_holds_no_more_than_asked(store: Store) -> None:
    add(store, *[memory(f"tea number {n}", f"{n:03}") for n in range(60)], memory("coffee", "c"))
    assert len(matching(store, "tea coffee")) == 50
    assert len(matching(store, "tea coffee", limit=61)) == 61
    assert matching(store, "coffee milk") == ["c"]


def test_a_match_looks_behind_expired_and_unfit_candidates(store: Store) -> None:
    gone = [memory(f"tea tea {n}", f"gone {n}", expires_at=MORNING) for n in range(60)]
    unfit = [memory(f"tea tea more {n}", f"unfit {n}", memory_type="core") for n in range(60)]
    add(store, *gone, *unfit, memory("a long text that mentions tea once in many other words", "kept"))
    assert matching(store, "tea", Comparison(Column("memory_type"), "eq", "semantic"), limit=10) == ["kept"]
    assert "kept" in matching(store, "tea", limit=61)


def test_the_vocabulary_counts_within_the_scope_alone(store: Store) -> None:
    add(store, memory("green tea"), memory("black tea tea"))
    add(store, memory("tea"), memory("tea party"), principal="bob")
    known = store.memories.vocabulary(ME, APP, ["tea", "green", "parti"])
    assert (known.records, known.mean_terms, known.documents) == (2, 2.5, {"tea": 2, "green": 1})
    assert store.memories.vocabulary("eve", APP, ["tea"]).records == 0


def test_similar_terms_are_those_of_the_scope(store: Store) -> None:
    add(store, memory("banana bandana cabana"))
    add(store, memory("banane"), principal="bob")
    assert dict(store.memories.similar_terms(ME, APP, "bnaana", 1)) == {"banana": 1, "bandana": 1, "cabana": 1}


def test_the_nearest_vectors_are_found_exactly_and_follow_their_memories(store: Store) -> None:
    add(store, memory("x", "1"), memory("y", "2"), memory("z", "3", memory_type="core"))
    vectors = [vector("1", "x", 1.0, 0.0), vector("2", "y", 0.6, 0.8), vector("3", "z", 0.0, 1.0)]
    assert store.memories.put_vectors(ME, APP, "m", [*vectors, vector("none", "x", 1.0, 0.0)]) == 3

    def nearest(condition: Condition = EVERYTHING, model: str = "m") -> list[tuple[str, float]]:
        found = store.memories.nearest(ME, APP, model, [0.0, 1.0], condition, limit=2, now=MORNING)
        return [(one.record.id, round(one.cosine, 2)) for one in found]

    assert nearest() == [("3", 1.0), ("2", 0.8)]
    assert nearest(Comparison(Column("memory_type"), "eq", "semantic")) == [("2", 0.8), ("1", 0.0)]
    assert nearest(model="other") == []
    store.memories.delete(ME, APP, "3", at=MORNING)
    store.memories.update(ME, APP, "2", content_change("new"), quota=PLENTY)
    assert nearest() == [("1", 0.0)]
    assert [one.id for one in store.memories.without_vector(ME, APP, "m", limit=9)] == ["2"]


def test_a_vector_of_a_text_that_changed_meanwhile_is_not_kept(store: Store) -> None:
    add(store, memory("old", "1"))
    store.memories.update(ME, APP, "1", content_change("new"), quota=PLENTY)
    assert store.memories.put_vectors(ME, APP, "m", [vector("1", "old", 1.0)]) == 0
    assert store.memories.put_vectors(ME, APP, "m", [vector("1", "new", 1.0)]) == 1


def test_memories_without_a_vector_of_the_model_are_counted(store: Store) -> None:
    def missing(model: str) -> int:
        return store.memories.count_without_vector(ME, APP, model)

    assert missing("m") == 0
    add(store, memory("x", "1"), memory("y", "2"), memory("z", "3"))
    store.memories.put_vectors(ME, APP, "m", [vector("1", "x", 1.0), vector("2", "y", 1.0)])
    assert (missing("m"), missing("n")) == (1, 3)
    store.memories.put_vectors(ME, APP, "m", [vector("1", "x", 0.5)])
    store.memories.put_vectors(ME, APP, "n", [vector("2", "y", 1.0), vector("3", "z", 1.0)])
    assert (missing("m"), missing("n")) == (2, 1)
    store.memories.delete(ME, APP, "1", at=MORNING)
    store.memories.update(ME, APP, "2", content_change("new"), quota=PLENTY)
    assert (missing("m"), missing("n")) == (2, 1)
    assert store.memories.count_without_vector("bob", APP, "m") == 0


def test_vectors_of_another_length_are_never_compared(store: Store) -> None:
    add(store, memory("x", "1"), memory("y", "2"))
    store.memories.put_vectors(ME, APP, "m", [vector("1", "x", 1.0, 0.0), vector("2", "y", 1.0)])
    for query, expected in (([1.0], "2"), ([1.0, 0.0], "1")):
        near = store.memories.nearest(ME, APP, "m", query, EVERYTHING, limit=9, now=0)
        assert [one.record.id for one in near] == [expected]


def test_of_equal_vectors_the_newer_memories_come_first(store: Store) -> None:
    add(store, *(memory(f"text {n}", str(n)) for n in range(300)))
    store.memories.put_vectors(ME, APP, "m", [vector(str(n), f"text {n}", 1.0) for n in range(300)])
    near = store.memories.nearest(ME, APP, "m", [1.0], EVERYTHING, limit=3, now=0)
    assert [one.record.id for one in near] == ["299", "298", "297"]


def test_the_nearest_are_those_of_a_look_at_every_vector_whatever_was_written_between(store: Store) -> None:
    chance = random.Random(5)  # noqa: S311  # made data
    texts = {str(n): f"text {n}" for n in range(400)}
    add(store, *(memory(text, name, metadata={"n": int(name)}) for name, text in texts.items()))
    stored: dict[str, list[float]] = {}

    def put(names: list[str]) -> None:
        new = {name: [chance.gauss(0, 0.4) for _ in range(8)] for name in names}
        store.memories.put_vectors(ME, APP, "m", [vector(name, texts[name], *new[name]) for name in names])
        stored.update(new)

    def check(condition: Condition, fits: Callable[[str], bool]) -> None:
        query = [chance.gauss(0, 0.4) for _ in range(8)]
        near = store.memories.nearest(ME, APP, "m", query, condition, limit=10, now=0)
        cosines = {name: sum(map(mul, query, values)) for name, values in stored.items() if fits(name)}
        best = sorted(cosines.values(), reverse=True)[:10]
        assert [round(max(-1, min(1, value)), 2) for value in best] == pytest.approx(
            [one.cosine for one in near], abs=0.02
        )

    for step in range(12):
        put(chance.sample(sorted(texts), 120))
        for name in chance.sample(sorted(stored), 8):
            store.memories.delete(ME, APP, name, at=MORNING)
            del stored[name], texts[name]
        check(EVERYTHING, lambda _: True)
        check(Comparison(Path(("n",)), "lt", 10 * step), lambda name, step=step: int(name) < 10 * step)


def test_the_owners_are_those_who_have_memories(store: Store) -> None:
    add(store, memory("x", "1"))
    add(store, memory("x", "1"), principal="bob")
    store.memories.delete("bob", APP, "1", at=MORNING)
    assert store.owners() == [(ME, APP)]


def test_stats_count_what_is_there(store: Store) -> None:
    add(store, memory("a"), memory("b", memory_type="core", created_at=MORNING + 1))
    stats = store.memories.stats(ME, APP)
    assert (stats.records, stats.changes, stats.vectors) == (2, 2, 0)
    assert (stats.oldest, stats.newest, stats.by_type) == (MORNING, MORNING + 1, {"core": 1, "semantic": 1})
    assert store.memories.stats("bob", APP).size == 0


def test_a_sweep_takes_what_has_expired_and_its_bytes(store: Store, clock: Clock) -> None:
    add(store, memory("tea", "1", expires_at=MORNING + 1), memory("coffee", "2"))
    store.keys.store(ME, APP, "k", b"1", quota=PLENTY, expires_at=MORNING + 1)
    clock.tick(1)
    assert store.maintain(now=clock.now) == 2
    assert ids(store, EVERYTHING, now=0) == {"2"}
    assert store.memories.history(ME, APP, "1", limit=1)[0].operation == "expire"
    assert store.keys.used(ME, APP) == 0
    assert store.maintain(now=clock.now) == 0


def test_old_history_is_forgotten_and_its_bytes_are_free(store: Store) -> None:
    add(store, memory("tea", "1"))
    store.memories.update(ME, APP, "1", content_change("coffee"), quota=PLENTY)
    size = store.memories.stats(ME, APP).size
    assert store.maintain(now=MORNING, history_before=MORNING + 2) == 2
    assert store.memories.stats(ME, APP).size < size
    assert store.memories.history(ME, APP, "1", limit=9) == []


@pytest.mark.parametrize("other", [("bob", APP), (ME, "other")])
def test_nobody_reaches_the_memories_of_another_principal_or_plugin(store: Store, other: tuple[str, str]) -> None:
    add(store, memory("secret tea", "1"))
    store.memories.put_vectors(ME, APP, "m", [vector("1", "secret tea", 1.0)])
    add(store, memory("public tea", "2"), principal=other[0], plugin=other[1])
    memories = store.memories
    assert memories.get(*other, "1", now=0) is None
    assert [one.id for one in memories.page(*other, EVERYTHING, after=None, limit=9, now=0)] == ["2"]
    assert [one.record.id for one in memories.match(*other, ["secret", "tea"], EVERYTHING, limit=9, now=0)] == ["2"]
    assert memories.similar_terms(*other, "secret", 2) == []
    assert memories.nearest(*other, "m", [1.0], EVERYTHING, limit=9, now=0) == []
    assert memories.put_vectors(*other, "m", [vector("1", "secret tea", 0.5), vector("2", "public tea", 0.1)]) == 1
    assert [one.record.id for one in memories.nearest(*other, "m", [1.0], EVERYTHING, limit=1, now=0)] == ["2"]
    assert [one.id for one in memories.without_vector(*other, "n", limit=9)] == ["2"]
    assert memories.stats(*other).by_type == {"semantic": 1}
    assert (memories.stats(*other).vectors, memories.stats(*other).changes) == (1, 1)
    assert memories.history(*other, "1", limit=9) == []
    assert not memories.delete(*other, "1", at=MORNING)
    with pytest.raises(MemoryNotFound):
        memories.update(*other, "1", content_change("x"), quota=PLENTY)
    with pytest.raises(ConfirmationNeeded) as needed:
        memories.delete_where(*other, EVERYTHING, at=MORNING, expected=2)
    assert needed.value.data == {"count": 1}
    assert memories.get(ME, APP, "1", now=0) is not None


# Conditions

TEA = Path(("tea",))
NOTHING: set[str] = set()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Comparison(TEA, "eq", "green"), {"text"}),
        (Comparison(TEA, "eq", 3), {"three"}),
        (Comparison(TEA, "eq", 1), {"one"}),
        (Comparison(TEA, "eq", True), {"true"}),
        (Comparison(TEA, "eq", False), NOTHING),
        (Comparison(TEA, "eq", None), {"null"}),
        (Comparison(TEA, "ne", "green"), {"three", "one", "true", "null", "list", "none"}),
        (Comparison(TEA, "gt", 1), {"three"}),
        (Comparison(TEA, "gte", 1), {"three", "one"}),
        (Comparison(TEA, "lt", 3), {"one"}),
        (Comparison(TEA, "lte", 2.99), {"one"}),
        (Comparison(TEA, "gt", "a"), {"text"}),
        (Comparison(TEA, "in", ("green", 3, None)), {"text", "three", "null"}),
        (Comparison(TEA, "in", ()), NOTHING),
        (Comparison(TEA, "nin", ("green", 3, 1, True, None)), {"list", "none"}),
        (Comparison(TEA, "contains", "ree"), {"text"}),
        (Comparison(TEA, "contains", "Äpfel"), {"list"}),
        (Comparison(TEA, "contains", "Äpf"), NOTHING),
        (Comparison(TEA, "contains", 7), {"list"}),
        (Comparison(TEA, "contains", True), NOTHING),
        (Comparison(TEA, "icontains", "REE"), {"text"}),
        (Comparison(TEA, "icontains", "äPFEL"), {"list"}),
        (Comparison(Path(("deep", 'a b.c"'.rstrip('"'))), "eq", 1), {"list"}),
        (Comparison(Column("content"), "icontains", "ÜBER"), {"none"}),
        (Comparison(Column("agent_id"), "eq", None), {"text", "three", "one", "true", "null", "list"}),
        (Comparison(Column("importance"), "gte", 0.5), {"none"}),
        (Comparison(Column("created_at"), "gt", MORNING), {"none"}),
        (Comparison(Column("id"), "in", ("one", "none")), {"one", "none"}),
        (Without(Comparison(TEA, "gt", 1)), {"text", "one", "true", "null", "list", "none"}),
        (AnyOf((Comparison(TEA, "eq", 3), Comparison(TEA, "eq", 1))), {"three", "one"}),
        (AllOf((Comparison(TEA, "gte", 1), Comparison(TEA, "lt", 3))), {"one"}),
        (AnyOf(()), NOTHING),
        (Without(AnyOf(())), {"text", "three", "one", "true", "null", "list", "none"}),
        (Comparison(TEA, "eq", "' OR 1=1 --"), NOTHING),
        (Comparison(Path(("' OR 1=1 --",)), "eq", None), NOTHING),
        (Comparison(Path(("$", "*", "[0]")), "eq", 1), NOTHING),
    ],
    ids=named,
)
def test_a_condition_chooses(store: Store, condition: Condition, expected: set[str]) -> None:
    add(
        store,
        memory("1", "text", metadata={"tea": "green"}),
        memory("2", "three", metadata={"tea": 3}),
        memory("3", "one", metadata={"tea": 1}),
        memory("4", "true", metadata={"tea": True}),
        memory("5", "null", metadata={"tea": None}),
        memory("6", "list", metadata={"tea": ["Äpfel", 7, None], "deep": {"a b.c": 1}}),
        memory("über", "none", agent_id="a", importance=0.5, created_at=MORNING + 1),
    )
    assert ids(store, condition) == expected


# What language models took


def test_what_is_reserved_counts_as_spent_until_it_is_settled(store: Store) -> None:
    store.budgets.reserve(ME, APP, 7, Spending(100, 30), [])
    assert store.budgets.spent(ME, APP, 7) == Spending(100, 30)
    store.budgets.reserve(ME, APP, 7, Spending(50, 20), [])
    store.budgets.settle(ME, APP, 7, Spending(100, 30), Spending(12, 3))
    assert store.budgets.spent(ME, APP, 7) == Spending(62, 23)
    store.budgets.settle(ME, APP, 7, Spending(50, 20), Spending(60, 25))  # a provider may take more than was thought
    assert store.budgets.spent(ME, APP, 7) == Spending(72, 28)


@pytest.mark.parametrize("budget", [Budget("plugin", tokens=100), Budget("plugin", cost=30)])
def test_a_budget_holds_up_to_its_last_unit_and_refuses_one_more(store: Store, budget: Budget) -> None:
    store.budgets.reserve(ME, APP, 7, Spending(60, 20), [budget])
    store.budgets.reserve(ME, APP, 7, Spending(40, 10), [budget])
    with pytest.raises(BudgetReached) as reached:
        store.budgets.reserve(ME, APP, 7, Spending(1, 1), [budget])
    unit = "tokens" if budget.tokens else "cost"
    assert (reached.value.error_code, reached.value.of, reached.value.needed) == (f"limit_llm_{unit}", "plugin", 1)
    assert store.budgets.spent(ME, APP, 7) == Spending(100, 30)
    store.budgets.reserve(ME, APP, 8, Spending(100, 30), [budget])  # the next day


def test_a_budget_sums_over_those_whose_it_is(store: Store) -> None:
    for principal, plugin in ((ME, APP), (ME, "other"), ("bob", APP)):
        store.budgets.reserve(principal, plugin, 7, Spending(10, 0), [])

    def fits(principal: str, plugin: str, budget: Budget) -> bool:
        try:
            store.budgets.reserve(principal, plugin, 7, Spending(0, 0), [budget])
        except BudgetReached:
            return False
        return True

    for fitting, short in (
        (Budget("plugin", tokens=20), Budget("plugin", tokens=19)),
        (Budget("principal", tokens=20), Budget("principal", tokens=19)),
        (Budget("server", tokens=30), Budget("server", tokens=29)),
    ):
        assert fits(ME, APP, fitting)
        assert not fits(ME, APP, short)
    assert fits("bob", "new", Budget("plugin", tokens=0))
    assert not fits("bob", "new", Budget("principal", tokens=9))
    assert store.budgets.spent("bob", APP, 7) == Spending(10, 0)


def test_of_several_budgets_each_must_hold(store: Store) -> None:
    budgets = [Budget("plugin", tokens=1_000), Budget("principal"), Budget("server", cost=5)]
    with pytest.raises(BudgetReached) as reached:
        store.budgets.reserve(ME, APP, 7, Spending(10, 6), budgets)
    assert (reached.value.of, store.budgets.spent(ME, APP, 7)) == ("server", Spending(0, 0))


def test_what_was_spent_is_kept_for_a_year_and_then_swept(store: Store) -> None:
    today = MORNING // (86_400 * SECOND)
    for day in (today - 401, today - 400, today):
        store.budgets.reserve(ME, APP, day, Spending(1, 1), [])
    assert store.maintain(now=MORNING) == 1
    assert [store.budgets.spent(ME, APP, today - ago).tokens for ago in (401, 400, 0)] == [0, 1, 1]

"""The operations of the engine, through their requests."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.backends.errors import ConfirmationNeeded, CursorInvalid, MemoryNotFound, QuotaReached
from mcp_server.memory.engine import MemoryEngine
from mcp_server.memory.errors import InvalidRequest
from mcp_server.memory.exchange import export_lines, import_lines
from mcp_server.memory.filters import parse_filters
from mcp_server.memory.model import change_as_json, memory_as_json, stats_as_json
from mcp_server.memory.requests import AddMemory, DeleteMemories, DeleteMemory, ListMemories, UpdateMemory, read
from mcp_server.memory.spelling import distance
from tests.backends.conftest import MORNING, Clock

ME = ("ann", "notes")


def add(engine: MemoryEngine, content: str, **more: Any) -> str:
    return engine.add(*ME, AddMemory(content=content, **more)).record.id


def test_a_memory_is_shown_whole(engine: MemoryEngine, clock: Clock) -> None:
    identifier = add(engine, "tea", metadata={"a": 1}, ttl_seconds=60)
    shown = memory_as_json(engine.get(*ME, identifier))
    assert shown == {
        "id": identifier,
        "content": "tea",
        "memory_type": "semantic",
        "user_id": "ann",
        "agent_id": None,
        "run_id": None,
        "metadata": {"a": 1},
        "created_at": "2026-11-23T08:00:00.000000Z",
        "updated_at": "2026-11-23T08:00:00.000000Z",
        "hash": shown["hash"],
        "version": 1,
        "expires_at": "2026-11-23T08:01:00.000000Z",
        "importance": None,
    }
    assert clock.now == MORNING
    assert len(shown["hash"]) == 64


def test_a_duplicate_gives_the_memory_that_is_there(engine: MemoryEngine) -> None:
    identifier = add(engine, "tea")
    again = engine.add(*ME, AddMemory(content="tea", memory_type="core"))
    assert (again.duplicate, again.record.id, again.record.memory_type) == (True, identifier, "semantic")


def test_many_are_added_at_once(engine: MemoryEngine) -> None:
    outcomes = engine.add_many(*ME, [AddMemory(content=text) for text in ("a", "b", "a")])
    assert [outcome.duplicate for outcome in outcomes] == [False, False, True]
    assert outcomes[0].record.id == outcomes[2].record.id


def test_an_update_replaces_what_it_names_and_null_takes_away(engine: MemoryEngine) -> None:
    identifier = add(engine, "tea", importance=0.5, agent_id="a", metadata={"x": 1})
    changed = engine.update(*ME, read(UpdateMemory, {"id": identifier, "agent_id": None, "metadata": {"y": 2}}))
    assert (changed.agent_id, changed.metadata, changed.importance, changed.content) == (None, {"y": 2}, 0.5, "tea")
    before = change_as_json(engine.history(*ME, identifier)[0])["before"]
    assert before == {"agent_id": "a", "metadata": {"x": 1}}


def test_a_deleted_memory_is_not_found_and_its_history_is(engine: MemoryEngine) -> None:
    identifier = add(engine, "tea")
    assert engine.delete(*ME, DeleteMemory(id=identifier))
    assert not engine.delete(*ME, DeleteMemory(id=identifier))
    with pytest.raises(MemoryNotFound):
        engine.get(*ME, identifier)
    assert [change.operation for change in engine.history(*ME, identifier)] == ["delete", "add"]
    with pytest.raises(MemoryNotFound):
        engine.history("bob", "notes", identifier)


def test_deleting_all_needs_their_number(engine: MemoryEngine) -> None:
    for content in ("a", "b", "c"):
        add(engine, content, memory_type="core" if content == "c" else "semantic")
    with pytest.raises(ConfirmationNeeded) as needed:
        engine.delete_all(*ME, DeleteMemories(memory_types=["semantic"]))
    assert needed.value.data == {"count": 2}
    assert engine.delete_all(*ME, DeleteMemories(memory_types=["semantic"], confirm=2)) == 2
    assert engine.stats(*ME).records == 1


def test_a_listing_goes_on_where_its_cursor_says(engine: MemoryEngine, clock: Clock) -> None:
    for number in range(7):
        add(engine, f"m{number}")
        clock.tick(number % 2)
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        page = engine.get_all(*ME, ListMemories(limit=3, cursor=cursor))
        seen += [record.content for record in page.records]
        cursor = page.cursor
    assert (sorted(seen), cursor) == ([f"m{number}" for number in range(7)], None)


def test_a_cursor_is_good_for_its_owner_and_its_listing_alone(engine: MemoryEngine) -> None:
    for number in range(3):
        add(engine, f"m{number}")
    cursor = engine.get_all(*ME, ListMemories(limit=1)).cursor
    assert cursor is not None
    forged = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    for owner, request in (
        (("bob", "notes"), ListMemories(cursor=cursor)),
        (("ann", "other"), ListMemories(cursor=cursor)),
        (ME, ListMemories(cursor=cursor, memory_types=["core"])),
        (ME, ListMemories(cursor=forged)),
        (ME, ListMemories(cursor="")),
        (ME, ListMemories(cursor="ü" * 3_000)),
    ):
        with pytest.raises(CursorInvalid):
            engine.get_all(*owner, request)


def test_the_quota_holds_for_memories_and_their_history(engine: MemoryEngine) -> None:
    small = MemoryEngine(engine.store, quota=2_000)
    identifier = small.add(*ME, AddMemory(content="x" * 1_000)).record.id
    with pytest.raises(QuotaReached) as reached:
        small.update(*ME, UpdateMemory(id=identifier, content="y" * 1_000))
    assert reached.value.error_code == "limit_memory_bytes"
    assert small.get(*ME, identifier).content == "x" * 1_000
    small.delete(*ME, DeleteMemory(id=identifier))


def test_stats_are_shown_with_times(engine: MemoryEngine) -> None:
    add(engine, "tea")
    shown = stats_as_json(engine.stats(*ME))
    assert (shown["memories"], shown["by_type"]) == (1, {"semantic": 1})
    assert shown["oldest"] == shown["newest"] == "2026-11-23T08:00:00.000000Z"
    assert stats_as_json(engine.stats("bob", "notes"))["oldest"] is None


# Requests


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "content: is required"),
        ({"content": ""}, "content: must hold more than blanks"),
        ({"content": 1}, "content: Input should be a valid string (got 1)"),
        ({"content": "a\x00"}, "content: must not hold U+0000"),
        ({"content": "ü" * 32_769}, "content: must have at most 65536 bytes, has 65538"),
        ({"content": "a", "contents": "b"}, "contents: unknown key, did you mean 'content'?"),
        ({"content": "a", "memory_type": "core "}, "memory_type: 'core ' is not allowed, did you mean 'core'?"),
        ({"content": "a", "metadata": []}, "metadata: Input should be a valid dictionary (got 'list')"),
        ({"content": "a", "metadata": {"k": "x" * 16_384}}, "metadata: must have at most 16384 bytes as JSON"),
        ({"content": "a", "metadata": {"k": "\x00"}}, "metadata: must not hold U+0000"),
        ({"content": "a", "agent_id": "a\nb"}, "agent_id: must be printable"),
        ({"content": "a", "importance": 2}, "importance: Input should be less than or equal to 1"),
        ({"content": "a", "ttl_seconds": 0}, "ttl_seconds: Input should be greater than or equal to 1"),
        ({"content": "a", "expires_at": "soon"}, "expires_at: must be a time such as 2026-11-23T09:00:00Z"),
        ({"content": "a", "ttl_seconds": 1, "expires_at": "2030-01-01"}, "'expires_at' and 'ttl_seconds' say the same"),
    ],
)
def test_a_request_is_checked(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(AddMemory, arguments)
    assert problem in refused.value.message


def test_all_problems_of_a_request_are_told_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(AddMemory, {"content": 1, "importance": 7, "x": 1})
    problems = [text.split(":")[0].strip() for text in refused.value.message.split(";")]
    assert problems == ["content", "importance", "x", "known"]


@pytest.mark.parametrize("arguments", [{}, {"if_version": 1}, {"content": None}, {"metadata": None}])
def test_an_update_names_something_to_change(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        read(UpdateMemory, {"id": "1", **arguments})


def test_factual_is_the_older_name_of_semantic() -> None:
    assert read(AddMemory, {"content": "a", "memory_type": "factual"}).memory_type == "semantic"


# Filters


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ({"a": {"equals": 1}}, "no operator 'equals'"),
        ({"a": {"gt": None}}, "'gt' takes a text or a number"),
        ({"a": {"gt": True}}, "'gt' takes a text or a number"),
        ({"a": {"in": 1}}, "'in' takes a list"),
        ({"a": {"in": [[1]]}}, "'in' does not compare with list"),
        ({"a": {"in": list(range(101))}}, "at most 100 values"),
        ({"a": [1]}, "'eq' does not compare with list"),
        ({"a": {"icontains": 1}}, "'icontains' takes a text"),
        ({"a": 2**63}, "the number is too large"),
        ({"AND": {}}, "AND takes a list of objects"),
        ({"OR": [1]}, "an object is due, got int"),
        ({"user_id": "bob"}, "'user_id' is the host's"),
        ({"created_at": {"gt": "yesterday"}}, "takes a time"),
        ({"created_at": {"gt": 5}}, "takes a time"),
        ({"": 1}, "is no name"),
        ({"a..b": 1}, "is no name"),
        ({'a"b': 1}, "is no name"),
        ({"a\\b": 1}, "is no name"),
        ({"k": "\ud800"}, "half a surrogate pair"),
        ({str(n): n for n in range(65)}, "more than 64 comparisons"),
        ({"NOT": {"NOT": {"NOT": {"NOT": {"NOT": {"NOT": {"NOT": {"NOT": {"a": 1}}}}}}}}}, "nested deeper than 8"),
    ],
)
def test_a_filter_that_says_nothing_we_understand_is_refused(filters: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_filters(filters)
    assert problem in refused.value.message


def test_filters_nest_and_reach_fields_and_metadata(engine: MemoryEngine, clock: Clock) -> None:
    add(engine, "one", metadata={"topic": "tea", "place": {"city": "Kyoto"}}, importance=0.9)
    clock.tick(3_600)
    add(engine, "two", metadata={"topic": "coffee", "content": "odd"}, memory_type="core")

    def listed(filters: dict[str, Any]) -> list[str]:
        return [record.content for record in engine.get_all(*ME, ListMemories(filters=filters)).records]

    assert listed({"topic": "tea", "importance": {"gte": 0.5, "lt": 1}}) == ["one"]
    assert listed({"place.city": {"icontains": "kyo"}}) == ["one"]
    assert listed({"metadata.content": "odd"}) == ["two"]
    assert listed({"content": "odd"}) == []
    assert listed({"OR": [{"topic": "tea"}, {"memory_type": "core"}]}) == ["two", "one"]
    assert listed({"AND": [{"topic": "tea"}, {"memory_type": "core"}]}) == []
    assert listed({"NOT": {"topic": "tea"}}) == ["two"]
    assert listed({"NOT": [{"topic": "tea"}, {"topic": "coffee"}]}) == []
    assert listed({"created_at": {"gt": "2026-11-23T09:30:00+01:00"}}) == ["two"]
    assert listed({"expires_at": None}) == ["two", "one"]


# JSON lines


def test_what_is_exported_is_imported_again_as_it_was(engine: MemoryEngine, clock: Clock) -> None:
    identifier = add(engine, "tea\nwith lines, ünïcode 茶", metadata={"a": [1]}, importance=0.5, ttl_seconds=99)
    clock.tick(1)
    engine.update(*ME, UpdateMemory(id=identifier, memory_type="core"))
    add(engine, "two")
    lines = list(export_lines(engine.store, *ME))
    assert len(lines) == 2
    report = import_lines(engine.store, "bob", "notes", lines, now=clock.now)
    assert (report.added, report.duplicates, report.problems) == (2, 0, [])
    theirs = [json.loads(line) for line in export_lines(engine.store, "bob", "notes")]
    assert theirs == [{**json.loads(line), "user_id": "bob"} for line in lines]
    again = import_lines(engine.store, "bob", "notes", lines, now=clock.now)
    assert (again.added, again.duplicates) == (0, 2)


def test_bad_lines_are_told_by_number_and_the_good_are_kept(engine: MemoryEngine) -> None:
    lines = ["", '{"content": "good"}', "{", "[]", '{"content": ""}', '{"content": "also good", "colour": 1}']
    report = import_lines(engine.store, *ME, lines, now=MORNING)
    assert report.added == 1
    assert [problem.split(":")[0] for problem in report.problems] == ["line 3", "line 4", "line 5", "line 6"]


def test_many_lines_are_imported_and_exported_in_batches(engine: MemoryEngine) -> None:
    lines = [json.dumps({"content": f"number {n}"}) for n in range(1_201)]
    assert import_lines(engine.store, *ME, lines, now=MORNING).added == 1_201
    exported = {json.loads(line)["content"] for line in export_lines(engine.store, *ME)}
    assert exported == {f"number {n}" for n in range(1_201)}


def test_an_import_into_a_full_quota_keeps_the_batches_before_and_says_where_it_stopped(engine: MemoryEngine) -> None:
    lines = [json.dumps({"content": f"{n} " + "x" * 1_000}) for n in range(1_201)]
    report = import_lines(engine.store, *ME, lines, now=MORNING, quota=900_000)
    assert report.stopped is not None
    assert report.stopped.error_code == "limit_memory_bytes"
    assert (report.added, report.last_line) == (500, 500)
    assert engine.stats(*ME).records == 500
    rest = import_lines(engine.store, *ME, lines, now=MORNING)
    assert (rest.added, rest.duplicates, rest.stopped) == (701, 500, None)


# Spelling


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("tea", "tea", 0),
        ("tea", "eta", 1),
        ("tea", "te", 1),
        ("tea", "team", 1),
        ("tea", "tee", 1),
        ("abcd", "badc", 2),
    ],
)
def test_a_slip_is_an_insertion_deletion_replacement_or_swap(one: str, other: str, slips: int) -> None:
    assert distance(one, other, 3) == distance(other, one, 3) == slips


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 3))
def test_a_bounded_distance_is_the_distance_up_to_its_bound(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == min(distance(one, other, 16), most + 1)


def test_ids_are_uuids_in_the_order_of_time(engine: MemoryEngine, clock: Clock) -> None:
    identifiers: list[str] = []
    for number in range(50):
        identifiers.append(engine.add(*ME, AddMemory(content=f"text {number}")).record.id)
        clock.tick(0.000_5)
    assert identifiers == sorted(identifiers)
    assert {uuid.UUID(identifier).version for identifier in identifiers} == {7}
    assert {uuid.UUID(identifier).variant for identifier in identifiers} == {uuid.RFC_4122}

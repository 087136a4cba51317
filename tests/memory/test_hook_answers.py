"""What a hook's answer may do to a request and to a result, on plain values."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.backends.values import MemoryRecord
from mcp_server.memory.answers import after_search, before, shown, shown_found
from mcp_server.memory.errors import HookVetoed
from mcp_server.memory.hooks import PRINCIPAL_SPACE, AnswerRefused, Hook, Point, Scope
from mcp_server.memory.requests import AddMemory, DeleteMemory, SearchMemories, UpdateMemory
from mcp_server.memory.search import Found, Hit

SCOPE = Scope("ann", PRINCIPAL_SPACE)


def hook(point: Point) -> Hook:
    return Hook("judge", point, "run", 100, 50, closed=False)


def found(*ids: str) -> Found:
    records = [
        MemoryRecord(one, f"text {one}", "semantic", "ann", None, None, {}, 1, 1, "", 1, None, None) for one in ids
    ]
    return Found([Hit(record, 0.5) for record in records], "lexical")


def searched(answer: Any, *ids: str) -> list[tuple[str, float]]:
    result = after_search(hook("after_search"), found(*ids), answer)
    return [(hit.record.id, hit.score) for hit in result.hits]


def test_an_add_is_shown_in_the_shape_of_a_memory() -> None:
    given = shown("before_add", SCOPE, AddMemory(content="tea", metadata={"a": 1}))
    assert (given["hook"], given["space"], given["user_id"]) == ("before_add", "@principal", "ann")
    assert (given["content"], given["memory_type"], given["metadata"], given["agent_id"]) == (
        "tea",
        "semantic",
        {"a": 1},
        None,
    )


def test_an_update_shows_what_it_replaces_and_nothing_else() -> None:
    given = shown("before_update", SCOPE, UpdateMemory(id="x", importance=None))
    assert set(given) == {"hook", "space", "user_id", "id", "importance"}


def test_an_update_keeps_what_it_leaves_alone_when_a_hook_rewrites_it() -> None:
    request = UpdateMemory(id="x", importance=None)
    changed = before(hook("before_update"), request, shown("before_update", SCOPE, request), {"content": "new"})
    assert changed.model_fields_set == {"id", "importance", "content"}


def test_added_filters_are_joined_to_those_of_the_caller() -> None:
    request = SearchMemories(query="tea", filters={"hot": True})
    given = shown("before_search", SCOPE, request)
    narrowed = before(hook("before_search"), request, given, {"filters": {"OR": [{"a": 1}, {"b": 2}]}})
    assert narrowed.filters == {"AND": [{"hot": True}, {"OR": [{"a": 1}, {"b": 2}]}]}
    assert before(hook("before_search"), request, given, {"filters": {"hot": True}}) is request
    alone = SearchMemories(query="tea")
    added = before(hook("before_search"), alone, shown("before_search", SCOPE, alone), {"filters": {"a": 1}})
    assert added.filters == {"a": 1}


def test_filters_that_get_too_deep_are_refused() -> None:
    filters: dict[str, Any] = {"a": 1}
    for _ in range(7):
        filters = {"NOT": filters}
    request = SearchMemories(query="tea", filters=filters)
    with pytest.raises(AnswerRefused, match="nested deeper"):
        before(hook("before_search"), request, shown("before_search", SCOPE, request), {"filters": {"AND": [filters]}})


@pytest.mark.parametrize("reason", ["no", "", None, 5, "x" * 9_000])
def test_a_veto_has_a_reason_of_bounded_length(reason: object) -> None:
    request = DeleteMemory(id="x")
    with pytest.raises(HookVetoed) as refused:
        before(hook("before_delete"), request, shown("before_delete", SCOPE, request), {"veto": reason})
    assert refused.value.data == {"plugin": "judge", "hook": "before_delete"}
    assert len(refused.value.message) < 600


def test_results_are_reordered_dropped_and_scored() -> None:
    answer = {"results": [{"id": "c", "score": 1}, "a"]}
    assert searched(answer, "a", "b", "c") == [("c", 1.0), ("a", 0.5)]
    assert searched([{"memory": {"id": "b", "content": "forged"}}], "a", "b") == [("b", 0.5)]
    assert searched({"results": []}, "a") == []
    assert searched(None, "a") == [("a", 0.5)]


def test_the_record_is_never_taken_from_an_answer() -> None:
    given = shown_found(SCOPE, SearchMemories(query="x"), found("a"))
    given["results"][0]["memory"] = {**given["results"][0]["memory"], "content": "forged", "user_id": "bob"}
    result = after_search(hook("after_search"), found("a"), given)
    assert (result.hits[0].record.content, result.hits[0].record.user_id) == ("text a", "ann")


def test_annotations_of_several_hooks_stand_side_by_side() -> None:
    first = after_search(hook("after_search"), found("a"), [{"id": "a", "annotations": {"why": 1}}])
    other = Hook("other", "after_search", "run", 100, 50, closed=False)
    second = after_search(other, first, [{"id": "a", "annotations": {"why": 2}}])
    assert second.hits[0].annotations == {"judge": {"why": 1}, "other": {"why": 2}}


@pytest.mark.parametrize(
    "answer",
    [
        ["b"],
        ["a", "a"],
        [{}],
        [{"id": ""}],
        [{"id": 5}],
        [5],
        [{"id": "a", "score": "1"}],
        [{"id": "a", "score": True}],
        [{"id": "a", "score": 1.5}],
        [{"id": "a", "score": -0.1}],
        [{"id": "a", "score": float("inf")}],
        [{"id": "a", "annotations": []}],
        [{"id": "a", "annotations": {"x": "y" * 4_096}}],
        {"results": "a"},
        {"veto": "no"},
        "a",
        5,
    ],
)
def test_an_answer_that_is_not_about_what_was_given_is_refused(answer: object) -> None:
    with pytest.raises(AnswerRefused):
        searched(answer, "a")

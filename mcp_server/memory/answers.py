"""What a hook is shown of a memory operation, and what its answer may change: requests and answers as plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from mcp_server.memory.errors import HookVetoed, InvalidRequest
from mcp_server.memory.filters import parse_filters
from mcp_server.memory.hooks import AnswerRefused, Hook, Point, Scope
from mcp_server.memory.model import memory_as_json
from mcp_server.memory.requests import AddMemory, DeleteMemory, SearchMemories, UpdateMemory, read
from mcp_server.memory.search import Found, Hit

__all__ = ["R", "after_search", "before", "shown", "shown_found"]

R = TypeVar("R", AddMemory, UpdateMemory, DeleteMemory, SearchMemories)

_MAY_CHANGE: Mapping[str, frozenset[str]] = {
    "before_add": frozenset({"content", "metadata", "memory_type"}),
    "before_update": frozenset({"content", "metadata", "memory_type"}),
    "before_search": frozenset({"query", "limit", "filters"}),
    "before_delete": frozenset(),
}
_LONGEST_REASON = 500
_MOST_ANNOTATION_BYTES = 4_096


def shown(point: Point, scope: Scope, request: BaseModel) -> dict[str, Any]:
    """What a before-hook is given: the request as one flat object, an add in the shape of a memory."""
    if isinstance(request, UpdateMemory | DeleteMemory):
        fields = {name: getattr(request, name) for name in ("id", *sorted(request.model_fields_set - {"id"}))}
    else:
        fields = request.model_dump()
    return {"hook": point, "space": scope.space, **fields, "user_id": scope.principal}


def shown_found(scope: Scope, request: SearchMemories, found: Found) -> dict[str, Any]:
    """What ``after_search`` is given."""
    results = [{"id": hit.record.id, "score": hit.score, "memory": memory_as_json(hit.record)} for hit in found.hits]
    return {
        "hook": "after_search",
        "space": scope.space,
        "user_id": scope.principal,
        "query": request.query,
        "limit": request.limit,
        "mode": found.mode,
        "results": results,
    }


def before(hook: Hook, request: R, given: Mapping[str, Any], answer: Any) -> R:
    """``request`` as the hook wants it.

    Raises:
        HookVetoed: It says no.
        AnswerRefused: It changes what it may not, or to what no request may be.
    """
    if answer is None:
        return request
    if not isinstance(answer, dict):
        raise AnswerRefused(f"is a {type(answer).__name__}, an object or null is due")
    table = cast("dict[str, Any]", answer)
    if "veto" in table:
        raise HookVetoed(hook.plugin, hook.point, _reason(table["veto"]))
    changes = _changes(table, given, _MAY_CHANGE[hook.point])
    if not changes:
        return request
    try:
        if isinstance(request, SearchMemories) and "filters" in changes:
            changes["filters"] = _narrowed(request.filters, changes["filters"])
        return read(type(request), {**request.model_dump(exclude_unset=True), **changes})
    except InvalidRequest as error:
        raise AnswerRefused(f"makes no valid request: {error.message}") from None


def after_search(hook: Hook, found: Found, answer: Any) -> Found:
    """``found`` in the order, with the scores and the notes that the hook wants; never with another memory.

    Raises:
        AnswerRefused: It names a memory that it was not given, or one twice, or says something else.
    """
    if answer is None:
        return found
    listed: Any = cast("dict[str, Any]", answer).get("results") if isinstance(answer, dict) else answer
    if not isinstance(listed, list):
        raise AnswerRefused("has no list of 'results'")
    left = {hit.record.id: hit for hit in found.hits}
    hits: list[Hit] = []
    for item in cast("list[Any]", listed):
        identifier, table = _named(item)
        hit = left.pop(identifier, None)
        if hit is None:
            raise AnswerRefused(f"names the memory {identifier!r:.80}, which it was not given, or names it twice")
        hits.append(_judged(hook, hit, table))
    return replace(found, hits=hits)


def _changes(table: dict[str, Any], given: Mapping[str, Any], may: frozenset[str]) -> dict[str, Any]:
    """What ``table`` changes; keys that say again what was given are none."""
    changes: dict[str, Any] = {}
    for key, value in table.items():
        if key in given and given[key] == value:
            continue
        if key not in may:
            raise AnswerRefused(f"changes '{key:.64}', it may change {', '.join(sorted(may)) or 'nothing'}")
        changes[key] = value
    return changes


def _narrowed(own: dict[str, Any] | None, added: Any) -> dict[str, Any]:
    """Both: a hook can only ever leave out."""
    if not isinstance(added, dict):
        raise AnswerRefused(f"has filters that are a {type(added).__name__}, an object is due")
    both: dict[str, Any] = {"AND": [own, added]} if own else cast("dict[str, Any]", added)
    parse_filters(both)
    return both


def _reason(said: Any) -> str:
    text = said if isinstance(said, str) and said.strip() else "it gave no reason"
    return "".join(character if character.isprintable() else " " for character in text[:_LONGEST_REASON])


def _named(item: Any) -> tuple[str, dict[str, Any]]:
    """The id that an item of an answer means: ``"id"``, ``{"id"}`` or ``{"memory": {"id"}}``."""
    if isinstance(item, str):
        return item, {}
    table = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    memory: Any = table.get("memory")
    identifier: Any = table.get("id") or (cast("dict[str, Any]", memory).get("id") if isinstance(memory, dict) else "")
    if not isinstance(identifier, str) or not identifier:
        raise AnswerRefused("has a result without an id")
    return identifier, table


def _judged(hook: Hook, hit: Hit, table: Mapping[str, Any]) -> Hit:
    score: Any = table.get("score", hit.score)
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        raise AnswerRefused("has a score that is no number")
    if not 0 <= score <= 1:
        raise AnswerRefused(f"has the score {score}, 0 to 1 is due")
    notes: Any = table.get("annotations")
    if notes is None:
        return replace(hit, score=float(score))
    if not isinstance(notes, dict) or len(json.dumps(notes, ensure_ascii=False).encode()) > _MOST_ANNOTATION_BYTES:
        raise AnswerRefused(f"has annotations that are no object of at most {_MOST_ANNOTATION_BYTES} bytes")
    return replace(hit, score=float(score), annotations={**(hit.annotations or {}), hook.plugin: notes})

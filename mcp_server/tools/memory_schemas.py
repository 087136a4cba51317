"""The JSON Schemas of the memory tools, as a model reads them.

Written out, not derived from the engine's request models: those would cost the start of every server 30 ms, and say
``null`` wherever a key may be left out. A test holds the two together.
"""

from __future__ import annotations

from typing import Any

__all__ = ["INPUTS", "OUTPUTS"]

_TYPES = ["episodic", "semantic", "procedural", "working", "core", "resource", "knowledge", "contextual"]
_ID = {"type": "string", "minLength": 1, "maxLength": 128, "description": "The memory's id"}
_VERSION = {"type": "integer", "minimum": 1, "description": "Only when this is the version that is stored"}
_TIME = "a time such as 2026-11-23T09:00:00Z"
_FILTERS = (
    'Conditions on fields and metadata, such as {"topic": "tea", "importance": {"gte": 0.5}}; operators eq ne gt gte '
    "lt lte in nin contains icontains, and AND, OR, NOT"
)


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _label(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": 128, "description": description}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"], "description": f"{schema['description']}; null takes it away"}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_CONTENT = _text("What to remember: 1 to 65536 bytes")
_TYPE = {"type": "string", "enum": _TYPES, "description": "Kind of memory"}
_METADATA = {"type": "object", "description": "Anything to filter by, at most 16384 bytes"}
_IMPORTANCE = {"type": "number", "minimum": 0, "maximum": 1, "description": "0 to 1"}
_AGENT = _label("Which agent it belongs to")
_RUN = _label("Which run or conversation it belongs to")
_CHOICE = {
    "filters": {"type": "object", "description": _FILTERS},
    "memory_types": {"type": "array", "items": _TYPE, "maxItems": 8, "description": "Only these kinds"},
    "agent_id": _label("Only this agent's"),
    "run_id": _label("Only this run's"),
    "include_expired": {"type": "boolean", "default": False, "description": "Also what is forgotten by its date"},
}


def _limit(default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": 100, "default": default, "description": "How many at most"}


INPUTS: dict[str, dict[str, Any]] = {
    "add": _object(
        {
            "content": _CONTENT,
            "memory_type": {**_TYPE, "default": "semantic"},
            "agent_id": _AGENT,
            "run_id": _RUN,
            "metadata": _METADATA,
            "importance": _IMPORTANCE,
            "expires_at": _text(f"When to forget it: {_TIME}"),
            "ttl_seconds": {"type": "integer", "minimum": 1, "description": "After how many seconds to forget it"},
        },
        "content",
    ),
    "search": _object(
        {
            "query": _text("What to look for, in words"),
            "limit": _limit(10),
            "mode": {
                "type": "string",
                "enum": ["auto", "lexical", "semantic", "hybrid"],
                "default": "auto",
                "description": "By words, by meaning, or both; auto takes the best there is",
            },
            "threshold": {**_IMPORTANCE, "description": "Leave out what scores lower, 0 to 1"},
            "explain": {"type": "boolean", "default": False, "description": "Say what each score is made of"},
            **_CHOICE,
        },
        "query",
    ),
    "get": _object({"id": _ID}, "id"),
    "update": _object(
        {
            "id": _ID,
            "content": _CONTENT,
            "memory_type": _TYPE,
            "agent_id": _or_null(_AGENT),
            "run_id": _or_null(_RUN),
            "metadata": {**_METADATA, "description": "The whole metadata, not a part of it"},
            "importance": _or_null(_IMPORTANCE),
            "expires_at": _or_null(_text(f"When to forget it: {_TIME}")),
            "if_version": _VERSION,
        },
        "id",
    ),
    "delete": _object({"id": _ID, "if_version": _VERSION}, "id"),
    "list": _object(
        {"limit": _limit(50), "cursor": _text("The cursor that the page before gave, for the next one"), **_CHOICE}
    ),
}

_MAYBE_TEXT = {"type": ["string", "null"]}
_MEMORY = _object(
    {
        "id": {"type": "string"},
        "content": {"type": "string"},
        "memory_type": {"type": "string", "enum": _TYPES},
        "user_id": {"type": "string"},
        "agent_id": _MAYBE_TEXT,
        "run_id": _MAYBE_TEXT,
        "metadata": {"type": "object"},
        "created_at": {"type": "string", "description": "RFC 3339"},
        "updated_at": {"type": "string", "description": "RFC 3339"},
        "hash": {"type": "string"},
        "version": {"type": "integer"},
        "expires_at": _MAYBE_TEXT,
        "importance": {"type": ["number", "null"]},
    },
    *("id", "content", "memory_type", "user_id", "metadata", "created_at", "updated_at", "version"),
)
_RESULT = _object(
    {
        "memory": _MEMORY,
        "score": {"type": "number", "description": "0 to 1"},
        "explanation": {"type": "object"},
        "annotations": {"type": "object", "description": "What plugins have to say about it, by plugin"},
    },
    "memory",
    "score",
)

OUTPUTS: dict[str, dict[str, Any]] = {
    "add": _object(
        {"memory": _MEMORY, "duplicate": {"type": "boolean", "description": "It was there already"}},
        "memory",
        "duplicate",
    ),
    "search": _object(
        {
            "results": {"type": "array", "items": _RESULT, "description": "The best first"},
            "mode": {"type": "string", "description": "How it was searched; recent: the newest, for want of words"},
            "corrections": {"type": "object", "description": "Words nobody wrote, and what was searched instead"},
            "uncovered": {"type": "integer", "description": "Memories that a search by meaning cannot find yet"},
        },
        "results",
        "mode",
        "corrections",
        "uncovered",
    ),
    "get": _object({"memory": _MEMORY}, "memory"),
    "update": _object({"memory": _MEMORY}, "memory"),
    "delete": _object({"deleted": {"type": "boolean", "description": "Whether there was such a memory"}}, "deleted"),
    "list": _object(
        {
            "memories": {"type": "array", "items": _MEMORY, "description": "The newest first"},
            "cursor": {"type": ["string", "null"], "description": "Asks for the next page; null at the end"},
        },
        "memories",
        "cursor",
    ),
}

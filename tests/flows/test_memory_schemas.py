"""The memory tools' schemas say what the engine's request models say."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.memory.requests import (
    AddMemory,
    DeleteMemory,
    GetMemory,
    ListMemories,
    Request,
    SearchMemories,
    UpdateMemory,
)
from mcp_server.tools.memory_schemas import INPUTS
from tests.requirements import requirement

MODELS: dict[str, type[Request]] = {
    "add": AddMemory,
    "delete": DeleteMemory,
    "get": GetMemory,
    "list": ListMemories,
    "search": SearchMemories,
    "update": UpdateMemory,
}


def bounds(schema: dict[str, Any]) -> dict[str, Any]:
    """The bounds of a property, whichever of its forms has them."""
    forms = [schema, *schema.get("anyOf", ())]
    names = ("minimum", "maximum", "minLength", "maxLength", "maxItems", "enum")
    return {name: form[name] for form in forms for name in names if name in form}


@requirement("memory-tools:checked")
@pytest.mark.parametrize("word", MODELS)
def test_a_tool_takes_what_its_request_has_but_never_whose_memories(word: str) -> None:
    written, model = INPUTS[word], MODELS[word].model_json_schema()
    assert set(written["properties"]) == set(model["properties"]) - {"user_id"}
    assert set(written["required"]) == set(model.get("required", ()))
    for name, schema in written["properties"].items():
        known = bounds(model["properties"][name])
        known.pop("maximum", None) if name == "ttl_seconds" else None  # a century, which nobody reads
        assert bounds(schema) == known, name
        assert schema["description"], name

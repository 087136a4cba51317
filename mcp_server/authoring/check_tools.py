"""What clients make of a plugin's tools: names that they refuse, schemas that break them, texts that a model lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from mcp_server.authoring.findings import Findings
from mcp_server.authoring.places import json_places
from mcp_server.manifest.load import LoadedManifest
from mcp_server.manifest.model import ToolEntry
from mcp_server.tools.catalog import SEPARATOR

__all__ = ["check_tools"]

MOST_NAME = 64
PREFIX = "mcp__agentmem__"
"""What Claude Code puts before a tool's name, which with it may have 64 characters."""
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CHOICES = ("anyOf", "oneOf", "allOf")
_TYPED = frozenset({"type", "enum", "const", "$ref", *_CHOICES})
Keys = tuple[str | int, ...]


def check_tools(source: LoadedManifest, findings: Findings) -> None:
    """Add what is wrong with the tools of ``source`` and with their schemas."""
    for index, entry in enumerate(source.manifest.tools):
        key: Keys = ("tools", index)
        _check_name(source.manifest.plugin.id, entry, key, findings)
        if not entry.description.strip():
            text = f"the tool '{entry.word}' has no description, and a model cannot know what it is for"
            findings.warning("description_missing", text, "say what it does and when to use it", (*key, "description"))
        if entry.input_schema is None and entry.input == "json":
            text = f"the tool '{entry.word}' has no input_schema, and a model cannot know its arguments"
            findings.warning("schema_missing", text, "add input_schema, a table or the path of a JSON file", key)
        if entry.input_schema is not None:  # what comes out is no client's model's business
            _check_schema(source.path.parent, entry.input_schema, (*key, "input_schema"), findings)


def _check_name(plugin: str, entry: ToolEntry, key: Keys, findings: Findings) -> None:
    name = f"{plugin}{SEPARATOR}{entry.word}"
    place = (*key, "name" if entry.name else "function")
    if len(name) > MOST_NAME:
        text = f"the tool is called '{name}', which has {len(name)} characters; clients take {MOST_NAME}"
        findings.error("name_too_long", text, "give it a shorter name", place)
    elif len(PREFIX + name) > MOST_NAME:
        text = f"the tool '{name}' has {len(name)} characters; a client's prefix, such as {PREFIX}, makes it too long"
        findings.warning("name_long", text, f"keep it within {MOST_NAME - len(PREFIX)}", place)


def _check_schema(folder: Path, stated: Mapping[str, Any] | str, key: Keys, findings: Findings) -> None:
    if isinstance(stated, str):
        path = folder / stated
        text = path.read_text(encoding="utf-8")
        findings, key, schema = findings.elsewhere(path, json_places(text)), (), json.loads(text)
    else:
        schema = stated
    for word in (*_CHOICES, "not", "enum"):
        if word in schema:
            message = f"the root of the schema has '{word}', which some clients refuse, with all tools of the server"
            findings.warning("schema_root", message, "put the choice into a property", (*key, word))
    for place, node in _schemas(cast("dict[str, Any]", schema), key):
        _check_node(place, node, findings)
        _check_properties(place, node, findings)


def _check_node(place: Keys, node: Mapping[str, Any], findings: Findings) -> None:
    if isinstance(node.get("type"), list):
        kinds = ", ".join(map(str, node["type"]))
        message = f"type is a list ({kinds}), which some clients refuse"
        findings.warning("schema_type_list", message, "name one type, or use anyOf", (*place, "type"))
    if node.get("type") == "array" and "items" not in node and "prefixItems" not in node:
        message = "an array does not say what its items are, which some clients refuse"
        findings.warning("schema_items", message, "add items", (*place, "type"))


def _check_properties(place: Keys, node: Mapping[str, Any], findings: Findings) -> None:
    properties = node.get("properties")
    known = cast("dict[str, Any]", properties) if isinstance(properties, dict) else {}
    for name, child in known.items():
        at = (*place, "properties", name)
        if not _PROPERTY.fullmatch(name):
            message = f"clients refuse the argument's name '{name}': they take A-Z a-z 0-9 _ . - and 64 characters"
            findings.error("property_name", message, "rename it", at)
        if isinstance(child, dict):
            _check_property(name, cast("dict[str, Any]", child), at, findings)
    required = node.get("required")
    for name in cast("list[object]", required) if isinstance(required, list) and known else []:
        if name not in known:
            message = f"'{name}' is required, and no property has that name"
            findings.warning("schema_required", message, "name it under properties", (*place, "required"))


def _check_property(name: str, stated: Mapping[str, Any], at: Keys, findings: Findings) -> None:
    if not _TYPED & stated.keys():
        findings.warning("schema_type", f"'{name}' has no type", "add one", at)
    if not (stated.get("description") or stated.keys() & {"$ref", "const"}):
        message = f"'{name}' has no description, and a model must guess what to put there"
        findings.warning("description_missing", message, "add description", at)


def _schemas(root: Mapping[str, Any], key: Keys) -> Iterator[tuple[Keys, Mapping[str, Any]]]:
    """Every schema within ``root``, itself first, and where it stands."""
    stack: list[tuple[Keys, Mapping[str, Any]]] = [(key, root)]
    while stack:
        place, node = stack.pop()
        yield place, node
        children: list[tuple[Keys, object]] = [
            ((*place, word), node[word]) for word in ("items", "additionalProperties", "not") if word in node
        ]
        for word in ("properties", "$defs", "patternProperties"):
            table = node.get(word)
            if isinstance(table, dict):
                children += [((*place, word, name), child) for name, child in cast("dict[str, Any]", table).items()]
        for word in (*_CHOICES, "prefixItems"):
            several = node.get(word)
            if isinstance(several, list):
                children += [((*place, word, i), child) for i, child in enumerate(cast("list[Any]", several))]
        stack += [(at, cast("dict[str, Any]", child)) for at, child in reversed(children) if isinstance(child, dict)]

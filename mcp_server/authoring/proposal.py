"""A ``plugin.toml`` for a module that has none: what its bytes ask for, and what it says of itself where it does.

Its author still has to say what the tools do and take; nobody can read that off a module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import TypeAdapter, ValidationError

from mcp_server.authoring.inspection import Inspection, needed_capabilities
from mcp_server.authoring.toml_text import toml_key, toml_value
from mcp_server.errors import ModuleError, SettingsError
from mcp_server.manifest.model import PluginSection, PluginType
from mcp_server.policy.rights import Capability
from mcp_server.whole_file import replace_file

__all__ = ["propose_manifest", "write_manifest"]

_TEXT_KEYS = ("name", "version", "description", "author")


def propose_manifest(inspection: Inspection) -> str:
    """The text of a manifest that loads beside the module.

    Raises:
        ModuleError: It imports what no manifest can ask for, or its file name can be no plugin's id.
    """
    unknown = [name for name, capability in inspection.host.items() if not capability] + list(inspection.foreign)
    if unknown:
        raise ModuleError(
            f"no manifest fits {inspection.path.name}: this host offers no {', '.join(unknown)}",
            fix="build it for Extism, with one of its PDKs",
        )
    plugin_id = _plugin_id(inspection.path)
    said = inspection.metadata or {}
    required, optional = _capabilities(inspection, said)
    lines = ["manifest_version = 1", "", "[plugin]", *_plugin_lines(plugin_id, inspection.path, said)]
    if inspection.wasi:
        lines += ["", "[runtime]", "wasi = true # a clock and random numbers; no files, no network"]
    if required or optional:
        lines += ["", "[capabilities]"]
        lines += [f"required = {toml_value(list(required))}"] if required else []
        lines += [f"optional = {toml_value(list(optional))}"] if optional else []
    lines += _config_lines(said)
    for name in inspection.module.tool_exports():
        lines += ["", *_tool_lines(name)]
    return "\n".join(lines) + "\n"


def write_manifest(path: Path, text: str, *, force: bool = False) -> None:
    """Write ``text`` to ``path``, which is not there yet unless ``force``.

    Raises:
        SettingsError: It is there, or cannot be written.
    """
    if path.exists() and not force:
        raise SettingsError(f"{path} is there already, and was left as it is", fix="add --force to replace it")
    try:
        replace_file(path, text.encode("utf-8"), mode=0o644)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}", fix="look at its folder") from None


def _plugin_id(path: Path) -> str:
    plugin_id = re.sub(r"[^a-z0-9-]+", "-", path.stem.lower()).strip("-")[:48]
    if not plugin_id:
        raise ModuleError(f"no plugin id can be made of the file name '{path.name}'", fix="rename it")
    return plugin_id


def _plugin_lines(plugin_id: str, path: Path, said: Mapping[str, Any]) -> list[str]:
    table: dict[str, str] = {"id": plugin_id, "name": plugin_id, "version": "0.1.0"}
    for key in _TEXT_KEYS:
        if isinstance(said.get(key), str) and _is_allowed({**table, key: said[key]}):
            table[key] = said[key]
    kind = said.get("plugin_type")
    if kind in get_args(PluginType) and kind != "Custom":
        table["type"] = str(kind)
    if path.name != f"{plugin_id}.wasm":
        table["wasm"] = path.name
    return [f"{key} = {toml_value(value)}" for key, value in table.items()]


def _is_allowed(table: Mapping[str, str]) -> bool:
    try:
        TypeAdapter(PluginSection).validate_python(dict(table))
    except ValidationError:
        return False
    return True


def _capabilities(
    inspection: Inspection, said: Mapping[str, Any]
) -> tuple[tuple[Capability, ...], tuple[Capability, ...]]:
    """What is imported, split by what the module itself requires; all of it is required where it says nothing."""
    imported = needed_capabilities(inspection.module)
    stated = said.get("required_capabilities")
    if not isinstance(stated, list):
        return imported, ()
    names = cast("list[object]", stated)
    return tuple(c for c in imported if c in names), tuple(c for c in imported if c not in names)


def _config_lines(said: Mapping[str, Any]) -> list[str]:
    schema = said.get("config_schema")
    if not isinstance(schema, dict) or cast("dict[str, Any]", schema).get("type") != "object":
        return []
    try:
        pairs = cast("dict[str, Any]", schema).items()
        return ["", "[config_schema]", *(f"{toml_key(key)} = {toml_value(value)}" for key, value in pairs)]
    except ValueError:  # it holds a null, which TOML has no word for
        return []


def _tool_lines(name: str) -> list[str]:
    return [
        "[[tools]]",
        f"function = {toml_value(name)}",
        'description = "" # for the model: what the tool does, and when to use it',
        'input_schema = { type = "object" } # name the arguments under properties, each with a description',
    ]

"""Reads one ``plugin.toml`` from disk into a :class:`Manifest`, or says everything that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from mcp_server.errors import ManifestError
from mcp_server.manifest.host import HostUnfit, fits_host, host_problem
from mcp_server.manifest.model import Manifest, PluginSection
from mcp_server.manifest.schema import JsonSchema
from mcp_server.policy.limits import limit_problems
from mcp_server.problems import json_problems, problems_of, without_refused

__all__ = ["ANY_OBJECT", "LoadedManifest", "load_manifest", "lone_module_manifest", "read_toml"]

MANIFEST_NAME = "plugin.toml"
MAX_MANIFEST_BYTES = 1_048_576
ANY_OBJECT: Mapping[str, Any] = {"type": "object"}
TEXT_INPUT: Mapping[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string", "description": "The text handed to the plugin as it is."}},
    "required": ["text"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class LoadedManifest:
    """A manifest with everything it refers to resolved.

    Attributes:
        manifest: The file's content.
        path: The ``plugin.toml``, or the ``.wasm`` itself for a lone module.
        wasm: Where the module is.
        schemas: Per tool entry, in order: (input schema, output schema or None), compiled.
        declared: False for a lone module without a manifest.
        config_schema: What ``[config]`` must fit once the operator's values are in it; its messages hide values.
    """

    manifest: Manifest
    path: Path
    wasm: Path
    schemas: tuple[tuple[JsonSchema, JsonSchema | None], ...]
    declared: bool = True
    config_schema: JsonSchema | None = None


def load_manifest(path: Path, *, roots: Sequence[Path] = (), host_version: str) -> LoadedManifest:
    """Read ``path`` and all it refers to.

    Args:
        path: A ``plugin.toml``.
        roots: Folders of plugins; a ``wasm`` path may leave the manifest's own folder only into one of them.
        host_version: Compared with ``requires_host``.

    Raises:
        ManifestError: With every problem of the file.
        HostUnfit: Nothing is wrong but that it needs another version of the host.
    """
    document = _tuples(read_toml(path))
    problems: list[str] = []
    manifest: Manifest | None = None
    try:
        manifest = Manifest.model_validate(document)
    except ValidationError as error:
        problems += problems_of(error, Manifest)
        document = without_refused(document, error)
        if ("plugin", "wasm") in [detail["loc"] for detail in error.errors()]:
            document["plugin"].pop("id", None)  # where the module would lie by default does not matter then
    plugin: dict[str, Any] = document.get("plugin", {})
    tools: Sequence[dict[str, Any]] = document.get("tools", ())
    problems += [f"limits.{problem}" for problem in limit_problems(document.get("limits", {}))]
    problems += json_problems(document.get("config", {}), "config")
    problems += filter(None, [host_problem(plugin.get("requires_host"))])
    wasm = _find_wasm(path, plugin, roots, problems)
    schemas = tuple(_compile_schemas(index, tool, path, problems) for index, tool in enumerate(tools))
    config = _compile("config_schema", document.get("config_schema"), path, problems, _config_problem, hidden=True)
    if manifest is None or problems:
        raise ManifestError(str(path), problems)
    section = manifest.plugin
    if not fits_host(section.requires_host, host_version):
        raise HostUnfit(str(path), f"'{section.id}' {section.version}", section.requires_host or "", host_version)
    return LoadedManifest(manifest, path, wasm, schemas, config_schema=config)


def lone_module_manifest(path: Path) -> LoadedManifest:
    """The manifest that a ``.wasm`` file without one gets: its file name as id, no rights, no tools of its own.

    Raises:
        ManifestError: The file name cannot be a plugin id.
    """
    plugin_id = re.sub(r"[^a-z0-9-]+", "-", path.stem.lower()).strip("-")[:48]
    if not plugin_id:
        raise ManifestError(str(path), [f"no plugin id can be made of the file name '{path.name}'; rename it"])
    section = PluginSection(id=plugin_id, name=plugin_id, version="0.0.0", description="A module without a manifest")
    return LoadedManifest(Manifest(manifest_version=1, plugin=section), path, path, (), declared=False)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a manifest, unchecked.

    Raises:
        ManifestError: It cannot be read, is too long, or is no TOML.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ManifestError(str(path), [f"cannot be read: {error.strerror or error}"]) from None
    if len(data) > MAX_MANIFEST_BYTES:
        raise ManifestError(str(path), [f"is {len(data)} bytes long; the limit is {MAX_MANIFEST_BYTES}"])
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ManifestError(str(path), [f"is not UTF-8 (byte {error.start})"]) from None
    except (ValueError, RecursionError) as error:  # ValueError: also an integer of more than 4 300 digits
        raise ManifestError(str(path), [f"is not TOML: {error}"]) from None


def _tuples(document: dict[str, Any]) -> dict[str, Any]:
    """TOML has only arrays; the strict, frozen models hold tuples where order is part of the value."""
    changed = dict(document)
    for section, keys in (
        ("capabilities", ("required", "optional")),
        ("network", ("allow",)),
        ("filesystem", ("allow",)),
    ):
        table = changed.get(section)
        if isinstance(table, dict):
            changed[section] = {  # pyright: ignore[reportUnknownVariableType]  # tomllib gives plain dicts
                key: tuple(value) if key in keys and isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
                for key, value in table.items()  # pyright: ignore[reportUnknownVariableType]
            }
    if isinstance(changed.get("tools"), list):
        changed["tools"] = tuple(changed["tools"])
    return changed


def _find_wasm(path: Path, plugin: Mapping[str, Any], roots: Sequence[Path], problems: list[str]) -> Path:
    """The discovery rule: the ``wasm`` key, else ``<id>.wasm`` beside, else ``<root>/<id>/<id>.wasm``."""
    folder = path.parent
    stated, plugin_id = plugin.get("wasm"), plugin.get("id")
    if stated is not None:
        wasm = folder / stated
        if not _contained(wasm, [folder, *roots]):
            problems.append(f"plugin.wasm: '{stated}' leaves the manifest's folder and every plugin root")
        elif not _is_file(wasm):
            problems.append(f"plugin.wasm: there is no file '{stated}'")
        return wasm
    if plugin_id is None:
        return folder  # a problem already
    candidates = [folder / f"{plugin_id}.wasm", *(root / plugin_id / f"{plugin_id}.wasm" for root in roots)]
    for candidate in candidates:
        if _is_file(candidate):
            return candidate
    problems.append(f"plugin.wasm: no module found; looked for {', '.join(str(c) for c in candidates)}")
    return candidates[0]


def _contained(path: Path, folders: Sequence[Path]) -> bool:
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # a loop of symbolic links is a RuntimeError up to Python 3.12
        return False
    return any(real.is_relative_to(folder.resolve()) for folder in folders)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def _compile_schemas(
    index: int, tool: Mapping[str, Any], path: Path, problems: list[str]
) -> tuple[JsonSchema, JsonSchema | None]:
    takes_text = tool.get("input") == "text"
    check = _text_input_problem if takes_text else _input_problem
    given = _compile(f"tools[{index}].input_schema", tool.get("input_schema"), path, problems, check)
    output = _compile(f"tools[{index}].output_schema", tool.get("output_schema"), path, problems, _output_problem)
    return given or JsonSchema(TEXT_INPUT if takes_text else ANY_OBJECT), output


def _compile(
    key: str,
    source: dict[str, Any] | str | None,
    path: Path,
    problems: list[str],
    check: Callable[[Mapping[str, Any]], str],
    *,
    hidden: bool = False,
) -> JsonSchema | None:
    if source is None:
        return None
    try:
        document = _schema_file(path.parent, source) if isinstance(source, str) else source
        schema = JsonSchema(document, hidden=hidden)
    except ValueError as error:
        problems.append(f"{key}: {error}")
        return None
    problem = check(schema.source)
    if problem:
        problems.append(f"{key}: {problem}")
    return schema


def _schema_file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not _contained(path, [folder]):
        raise ValueError(f"'{name}' leaves the manifest's folder")
    if not _is_file(path):
        raise ValueError(f"there is no file '{name}'")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"'{name}' cannot be read: {error.strerror or error}") from None
    try:
        loaded: object = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f"'{name}' is not JSON: {error}") from None
    if not isinstance(loaded, dict):
        raise ValueError(f"'{name}' holds a {type(loaded).__name__}, not a schema object")
    return loaded  # pyright: ignore[reportUnknownVariableType]  # JSON


def _input_problem(schema: Mapping[str, Any]) -> str:
    # MCP clients reject a whole tools/list over one inputSchema without it, in both protocol eras.
    if schema.get("type") == "object":
        return ""
    return 'needs "type": "object" at its root (MCP clients refuse other input schemas)'


def _config_problem(schema: Mapping[str, Any]) -> str:
    return "" if schema.get("type") == "object" else 'needs "type": "object" at its root: a configuration is a table'


def _text_input_problem(schema: Mapping[str, Any]) -> str:
    text = schema.get("properties", {}).get("text")
    if "text" in schema.get("required", ()) and isinstance(text, dict) and text.get("type") == "string":  # pyright: ignore[reportUnknownMemberType]  # JSON
        return _input_problem(schema)
    return "needs the required property 'text' of type string, which is what input = \"text\" hands to the plugin"


def _output_problem(schema: Mapping[str, Any]) -> str:
    return "" if schema else "is empty; leave it out instead"

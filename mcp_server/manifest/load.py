"""Reads one ``plugin.toml`` from disk into a :class:`Manifest`, or says everything that is wrong with it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import ValidationError

from mcp_server.errors import ManifestError
from mcp_server.manifest.model import Manifest, PluginSection, ToolEntry
from mcp_server.manifest.schema import JsonSchema
from mcp_server.policy.limits import LIMITS
from mcp_server.problems import did_you_mean, problems_of

__all__ = ["LoadedManifest", "load_manifest", "lone_module_manifest"]

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
    """

    manifest: Manifest
    path: Path
    wasm: Path
    schemas: tuple[tuple[JsonSchema, JsonSchema | None], ...]
    declared: bool = True


def load_manifest(path: Path, *, roots: Sequence[Path] = (), host_version: str) -> LoadedManifest:
    """Read ``path`` and all it refers to.

    Args:
        path: A ``plugin.toml``.
        roots: Folders of plugins; a ``wasm`` path may leave the manifest's own folder only into one of them.
        host_version: Compared with ``requires_host``.

    Raises:
        ManifestError: With every problem of the file.
    """
    document = _read_toml(path)
    try:
        manifest = Manifest.model_validate(_tuples(document))
    except ValidationError as error:
        raise ManifestError(str(path), problems_of(error, Manifest)) from None
    problems = _limit_key_problems(manifest)
    problems += _host_problems(manifest, host_version)
    wasm = _find_wasm(path, manifest, roots, problems)
    schemas = tuple(_compile_schemas(index, tool, path, problems) for index, tool in enumerate(manifest.tools))
    if problems:
        raise ManifestError(str(path), problems)
    return LoadedManifest(manifest, path, wasm, schemas)


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


def _read_toml(path: Path) -> dict[str, Any]:
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
    except (tomllib.TOMLDecodeError, RecursionError) as error:
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


def _limit_key_problems(manifest: Manifest) -> list[str]:
    known = [spec.key for spec in LIMITS]
    return [f"limits.{key}: unknown key{did_you_mean(key, known)}" for key in manifest.limits if key not in known]


def _host_problems(manifest: Manifest, host_version: str) -> list[str]:
    wanted = manifest.plugin.requires_host
    if wanted is None:
        return []
    try:
        fits = SpecifierSet(wanted).contains(host_version, prereleases=True)
    except InvalidSpecifier:
        return [f"plugin.requires_host: {wanted!r} is not a version specifier such as '>=0.1,<1'"]
    return [] if fits else [f"plugin.requires_host: needs a host {wanted}, this is {host_version}"]


def _find_wasm(path: Path, manifest: Manifest, roots: Sequence[Path], problems: list[str]) -> Path:
    """The discovery rule: the ``wasm`` key, else ``<id>.wasm`` beside, else ``<root>/<id>/<id>.wasm``."""
    folder = path.parent
    plugin_id = manifest.plugin.id
    if manifest.plugin.wasm is None:
        candidates = [folder / f"{plugin_id}.wasm", *(root / plugin_id / f"{plugin_id}.wasm" for root in roots)]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        problems.append(f"plugin.wasm: no module found; looked for {', '.join(str(c) for c in candidates)}")
        return candidates[0]
    wasm = folder / manifest.plugin.wasm
    if not _contained(wasm, [folder, *roots]):
        problems.append(f"plugin.wasm: '{manifest.plugin.wasm}' leaves the manifest's folder and every plugin root")
    elif not wasm.is_file():
        problems.append(f"plugin.wasm: there is no file '{manifest.plugin.wasm}'")
    return wasm


def _contained(path: Path, folders: Sequence[Path]) -> bool:
    real = path.resolve()
    return any(real.is_relative_to(folder.resolve()) for folder in folders)


def _compile_schemas(
    index: int, tool: ToolEntry, path: Path, problems: list[str]
) -> tuple[JsonSchema, JsonSchema | None]:
    default = TEXT_INPUT if tool.input == "text" else ANY_OBJECT
    given = _compile(f"tools[{index}].input_schema", tool.input_schema, path, problems, _input_problem)
    output = _compile(f"tools[{index}].output_schema", tool.output_schema, path, problems, _output_problem)
    return given or JsonSchema(default), output


def _compile(
    key: str,
    source: dict[str, Any] | str | None,
    path: Path,
    problems: list[str],
    check: Callable[[Mapping[str, Any]], str],
) -> JsonSchema | None:
    if source is None:
        return None
    try:
        table = _schema_file(path.parent, source) if isinstance(source, str) else source
        problem = check(table)
        if problem:
            raise ValueError(problem)
        return JsonSchema(table)
    except ValueError as error:
        problems.append(f"{key}: {error}")
        return None


def _schema_file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not _contained(path, [folder]):
        raise ValueError(f"'{name}' leaves the manifest's folder")
    try:
        loaded: object = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"'{name}' cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"'{name}' is not JSON: {error}") from None
    if not isinstance(loaded, dict):
        raise ValueError(f"'{name}' holds a {type(loaded).__name__}, not a schema object")
    return loaded  # pyright: ignore[reportUnknownVariableType]  # JSON


def _input_problem(schema: Mapping[str, Any]) -> str:
    # MCP clients reject a whole tools/list over one inputSchema without it, in both protocol eras.
    return (
        ""
        if schema.get("type") == "object"
        else 'needs "type": "object" at its root (MCP clients refuse other input schemas)'
    )


def _output_problem(schema: Mapping[str, Any]) -> str:
    return "" if schema else "is empty; leave it out instead"

"""Any bytes and any TOML tree as a manifest: a manifest, or one ManifestError that lists problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.errors import ManifestError
from mcp_server.manifest import JsonSchema, load_manifest

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
GOOD: dict[str, Any] = {
    "manifest_version": 1,
    "plugin": {"id": "p", "name": "P", "version": "0.1.0"},
}
words = st.sampled_from(
    ["plugin", "id", "name", "version", "wasm", "sha256", "type", "tools", "function", "input_schema", "output_schema",
     "properties", "$ref", "limits", "max_memory_mb", "config", "capabilities", "required", "optional", "network",
     "allow", "filesystem", "path", "mode", "runtime", "wasi", "hooks", "annotations", "read_only", "input", "result",
     "text"]
)  # fmt: skip
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "p.wasm",
        "../p.wasm",
        "a\0b",
        "x" * 300,
        "LoggingAccess",
        "text",
        "content",
        "object",
        "#/",
        "0.1.0",
        "schema.json",
    ]
)
scalars = st.booleans() | st.integers() | st.floats() | text
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | text, inner, max_size=5), max_leaves=20
)


def toml(value: Any) -> str:
    """``value`` as an inline TOML value."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return "{" + ", ".join(f"{toml(key)} = {toml(child)}" for key, child in items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(child) for child in cast("list[Any]", value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    return repr(value).lower()


def try_to_load(path: Path) -> None:
    try:
        loaded = load_manifest(path, host_version="0.1.0")
    except ManifestError as error:
        assert error.problems
        assert all(isinstance(problem, str) and problem for problem in error.problems)
    else:
        json.dumps(loaded.manifest.config, allow_nan=False)
        assert loaded.manifest.model_dump_json()
        assert loaded.wasm.is_file()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ``plugin.toml`` to be, with a module and a schema beside it."""
    (tmp_path / "p.wasm").write_bytes(b"")
    (tmp_path / "schema.json").write_text('{"type": "object"}')
    return tmp_path / "plugin.toml"


@quick
@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_manifest_or_a_manifest_error(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try_to_load(path)


@quick
@given(document=st.dictionaries(words, trees, max_size=5))
def test_any_toml_tree_is_a_manifest_or_a_manifest_error(path: Path, document: dict[str, Any]) -> None:
    path.write_text("\n".join(f"{toml(key)} = {toml(value)}" for key, value in document.items()), encoding="utf-8")
    try_to_load(path)


@quick
@given(section=st.sampled_from(["plugin", "tools", "limits", "config", "capabilities", "runtime", "network",
                                "filesystem", "hooks"]), value=trees, key=words)  # fmt: skip
def test_a_good_manifest_with_one_odd_value_is_a_manifest_or_a_manifest_error(
    path: Path, section: str, value: Any, key: str
) -> None:
    document: dict[str, Any] = {**GOOD}
    if section == "plugin":
        document["plugin"] = {**GOOD["plugin"], key: value}
    elif section == "tools":
        document["tools"] = [{"function": "f", key: value}]
    else:
        document[section] = {key: value} if key != "text" else value
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in document.items()), encoding="utf-8")
    try_to_load(path)


@quick
@given(source=st.dictionaries(words | st.sampled_from(["type", "$defs", "anyOf", "not", "pattern", "enum"]), trees))
def test_any_table_is_a_schema_or_a_value_error(source: dict[str, Any]) -> None:
    try:
        schema = JsonSchema(source)
    except ValueError:
        return
    assert isinstance(schema.problems({"a": [1, "b", None]}), list)

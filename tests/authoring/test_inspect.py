"""``inspect``: what is said of a module, and the manifest that is proposed for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mcp_server.authoring.loading import open_plugin
from mcp_server.wasm import Producer, read_producers
from tests.commands import answer, run
from tests.guests import answers, module, wat
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
LOGGING = '(import "extism:host/user" "log" (func $log (param i64) (result i64)))'
SAYS: dict[str, Any] = {
    "name": "Says",
    "version": "1.2.0",
    "description": 'A "quoted" text',
    "plugin_type": "DataSource",
    "required_capabilities": [],
    "config_schema": {"type": "object", "properties": {"odd key": {"enum": [True, 1.5, "x"]}}},
}


def saying(metadata: object, imports: str = "") -> bytes:
    """A module that answers ``metadata`` and exports the tool ``run``."""
    text = json.dumps(metadata) if not isinstance(metadata, str) else metadata
    guest = answers(text, "metadata", '(func (export "run") (result i32) (i32.const 0))')
    return module(_body(text), imports) if imports else guest


def _body(text: str) -> str:
    data = text.encode()
    stores = "".join(
        f"(call $store (i64.add (local.get $o) (i64.const {at})) (i32.const {byte}))" for at, byte in enumerate(data)
    )
    return f"""
      (func (export "metadata") (result i32) (local $o i64)
        (local.set $o (call $alloc (i64.const {len(data)}))) {stores}
        (call $out (local.get $o) (i64.const {len(data)})) (i32.const 0))
      (func (export "run") (result i32) (drop (call $log (i64.const 0))) (i32.const 0))"""


@requirement("author:inspect")
def test_a_plugin_is_described_with_needs_exports_sizes_and_its_own_words(cache: Path, tmp_path: Path) -> None:
    shown = answer(cache, "inspect", ROOT / "plugins" / "hello" / "hello.wasm")
    assert shown["capabilities"] == ["LoggingAccess", "ConfigAccess"]
    assert shown["imports"]["host"] == {"get_config": "ConfigAccess", "log": "LoggingAccess"}
    assert (shown["tools"], shown["metadata"]["name"], shown["imports"]["wasi"]) == (["hello"], "Hello", [])
    assert shown["limits"]["memory_pages"] == [[17, None]]
    assert sum(section["size"] for section in shown["sections"]) < shown["bytes"]
    assert {"name": "hello", "kind": "func", "callable": True} in shown["exports"]


@requirement("author:inspect")
def test_the_toolchain_is_read_from_the_module(cache: Path) -> None:
    shown = answer(cache, "inspect", ROOT / "plugins" / "hello-go" / "hello-go.wasm", "--no-run")
    assert {producer["name"] for producer in shown["toolchain"]} == {"Go", "Go cmd/compile"}
    assert "clock_time_get" in shown["imports"]["wasi"]
    assert shown["metadata"] is None
    assert "wasi = true" in shown["proposal"]


def test_a_broken_producers_section_says_nothing() -> None:
    whole = b"\x01\x08language\x01\x04Rust\x042021"
    for size in range(len(whole) + 1):
        section = b"\x09producers" + whole[:size]
        found = read_producers(wat("(module)") + b"\x00" + bytes([len(section)]) + section)
        assert found == ((Producer("language", "Rust", "2021"),) if size == len(whole) else ())


@requirement("author:inspect")
def test_the_proposed_manifest_loads_and_carries_what_the_module_says(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "My Says.wasm").write_bytes(saying(SAYS, LOGGING))
    shown = answer(cache, "inspect", tmp_path / "My Says.wasm", "--write")
    assert shown["written"] == str(tmp_path / "plugin.toml")
    with open_plugin(tmp_path) as plugin:
        assert plugin.id == "my-says"
        assert plugin.call("run") is not None
        assert [call.outcome for call in plugin.host_calls] == ["invalid_request"]
    written = (tmp_path / "plugin.toml").read_text(encoding="utf-8")
    for line in ('name = "Says"', 'version = "1.2.0"', 'type = "DataSource"', 'optional = ["LoggingAccess"]'):
        assert line in written.splitlines()


@requirement("author:inspect")
def test_a_manifest_that_is_there_is_kept_unless_it_is_told_otherwise(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "says.wasm").write_bytes(saying(SAYS))
    (tmp_path / "plugin.toml").write_text("mine", encoding="utf-8")
    refused = run(cache, "inspect", tmp_path / "says.wasm", "--write")
    assert (refused.returncode, (tmp_path / "plugin.toml").read_text(encoding="utf-8")) == (2, "mine")
    assert "--force" in refused.stderr
    told = run(cache, "inspect", tmp_path / "says.wasm", "--write", "--force", "--quiet")
    assert (told.returncode, told.stdout) == (0, "")
    assert 'id = "says"' in (tmp_path / "plugin.toml").read_text(encoding="utf-8")


@requirement("author:inspect")
@pytest.mark.parametrize(
    ("metadata", "why"),
    [("[1]", "no JSON object"), ('"text"', "no JSON object"), ("", "no JSON object")],
)
def test_a_module_that_answers_oddly_is_still_described(cache: Path, tmp_path: Path, metadata: str, why: str) -> None:
    (tmp_path / "odd.wasm").write_bytes(saying(metadata))
    shown = answer(cache, "inspect", tmp_path / "odd.wasm")
    assert (shown["metadata"], why in shown["metadata_problem"]) == (None, True)
    assert 'id = "odd"' in shown["proposal"]


@requirement("author:inspect")
def test_a_module_that_traps_when_it_is_asked_harms_nothing(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "trap.wasm").write_bytes(module('(func (export "metadata") (result i32) unreachable)'))
    shown = answer(cache, "inspect", tmp_path / "trap.wasm")
    assert shown["metadata_problem"].startswith("plugin_trapped: ")


@requirement("author:inspect")
def test_what_is_no_module_and_what_no_server_could_link_is_said(cache: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "README.md", tmp_path / "readme.wasm")
    refused = run(cache, "inspect", tmp_path / "readme.wasm", "--json")
    assert (refused.returncode, json.loads(refused.stderr)["error"]["code"]) == (6, "module_invalid")
    assert run(cache, "inspect", tmp_path / "nothing.wasm").returncode == 6
    (tmp_path / "odd.wasm").write_bytes(module("", '(import "env" "read" (func))'))
    shown = answer(cache, "inspect", tmp_path / "odd.wasm")
    assert (shown["imports"]["foreign"], shown["proposal"]) == (["env.read"], None)
    assert run(cache, "inspect", tmp_path / "odd.wasm", "--write").returncode == 6

"""``check``: what a server or a client would refuse, and what asks for too much, with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.authoring.check import check_plugin
from mcp_server.authoring.places import json_places, toml_places
from tests.commands import answer, run
from tests.guests import module, write_plugin
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
HOST = '(import "agentmem" "{name}" (func (param i64) (result i64)))'
TOOL = '[[tools]]\nfunction = "run"\ndescription = "Runs"\ninput_schema = {schema}\n'
PLAIN = '{ type = "object" }'


def importing(*names: str) -> bytes:
    body = '(func (export "run") (result i32) (i32.const 0)) (func (export "needs") (param i32))'
    return module(body, "".join(HOST.format(name=name) for name in names))


def found(home: Path) -> list[tuple[str, str, int]]:
    """Level, code and line of each finding."""
    return [(finding.level, finding.code, finding.line) for finding in check_plugin(home).findings]


def line_of(home: Path, text: str) -> int:
    lines = (home / "plugin.toml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@requirement("author:check")
@pytest.mark.parametrize("plugin", sorted(path.parent.name for path in (ROOT / "manifests").glob("*/plugin.toml")))
def test_the_example_plugins_have_no_errors(plugin: str) -> None:
    assert check_plugin(ROOT / "manifests" / plugin).errors == 0


@requirement("author:check")
@pytest.mark.parametrize(
    ("imports", "more", "finding", "where"),
    [
        ((), '[[tools]]\nfunction = "rum"\n', ("error", "function_missing"), '"rum"'),
        ((), '[[tools]]\nfunction = "needs"\n', ("error", "function_missing"), '"needs"'),
        ((), '[hooks]\nbefore_add = "gone"\n', ("error", "function_missing"), '"gone"'),
        (("log",), "[capabilities]\noptional = []\n", ("error", "import_undeclared"), "[capabilities]"),
        (("fly",), "", ("error", "import_unknown"), "[plugin]"),
        ((), '[capabilities]\nrequired = [\n  "LLMAccess",\n]\n', ("warning", "right_unused"), '"LLMAccess"'),
        ((), "[runtime]\nwasi = true\n", ("warning", "wasi_unused"), "wasi"),
        (("http_request",), '[capabilities]\nrequired = ["NetworkAccess"]\n', ("warning", "network_empty"), "[cap"),
        ((), '[network]\nallow = ["https://a.example/*"]\n', ("warning", "network_unused"), "[network]"),
        ((), '[network]\nallow = [\n "https://*/*"]\n', ("warning", "network_wide"), "https://*"),
        ((), '[network]\nallow = ["https://*.com/*"]\n', ("warning", "network_wide"), "*.com"),
        ((), '[network]\nallow = ["http://a.example/*"]\n', ("warning", "network_plain"), "http://a"),
        (("read_file",), '[capabilities]\nrequired = ["FileSystemAccess"]\n', ("warning", "files_empty"), "[cap"),
        ((), '[filesystem]\nallow = [{ path = "a", mode = "write" }]\n', ("warning", "files_wide"), '"a"'),
        ((), "[limits]\nmax_memory_mb = 9999\n", ("error", "manifest_invalid"), "max_memory_mb"),
        ((), "[runtime]\nwasy = true\n", ("error", "manifest_invalid"), "wasy"),
        ((), "[plugin.x]\ny = 1\n", ("error", "manifest_invalid"), "[plugin.x]"),
    ],
)
def test_manifest_and_module_are_held_against_each_other(
    tmp_path: Path, imports: tuple[str, ...], more: str, finding: tuple[str, str], where: str
) -> None:
    home = write_plugin(tmp_path, "odd", importing(*imports), more)
    assert (*finding, line_of(home, where)) in found(home)


def taking(properties: str) -> str:
    return f'{{ type = "object", properties = {{ {properties} }} }}'


@requirement("author:check")
@pytest.mark.parametrize(
    ("schema", "finding"),
    [
        ('{ type = "array" }', ("error", "manifest_invalid")),
        (taking('a = { "$ref" = "other.json" }'), ("error", "manifest_invalid")),
        ('{ type = "object", anyOf = [{ required = ["a"] }] }', ("warning", "schema_root")),
        (taking('a = { type = ["string", "null"], description = "x" }'), ("warning", "schema_type_list")),
        (taking('a = { type = "string" }'), ("warning", "description_missing")),
        (taking('a = { description = "x" }'), ("warning", "schema_type")),
        (taking('a = { type = "array", description = "x" }'), ("warning", "schema_items")),
        (taking('"a b" = { type = "string", description = "x" }'), ("error", "property_name")),
        ('{ type = "object", required = ["b"], properties.a = { const = 1 } }', ("warning", "schema_required")),
    ],
)
def test_a_schema_that_breaks_clients_is_found_where_it_stands(
    tmp_path: Path, schema: str, finding: tuple[str, str]
) -> None:
    home = write_plugin(tmp_path, "odd", importing(), TOOL.format(schema=schema))
    assert found(home) == [(*finding, line_of(home, "input_schema"))]


@requirement("author:check")
def test_a_schema_in_a_file_is_named_with_its_own_line(tmp_path: Path) -> None:
    home = write_plugin(tmp_path, "odd", importing(), TOOL.format(schema='"in.json"'))
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}}
    (home / "in.json").write_text(json.dumps(schema, indent=1), encoding="utf-8")
    places = {(Path(item.file).name, item.line, item.code) for item in check_plugin(home).findings}
    assert places == {
        ("in.json", 4, "description_missing"),
        ("in.json", 7, "description_missing"),
        ("in.json", 7, "schema_type"),
    }


@requirement("author:check")
@pytest.mark.parametrize(
    ("length", "finding"), [(40, None), (41, ("warning", "name_long")), (56, ("error", "name_too_long"))]
)
def test_a_name_that_clients_cut_or_refuse_is_found(
    tmp_path: Path, length: int, finding: tuple[str, str] | None
) -> None:
    entry = TOOL.format(schema=PLAIN) + f'name = "{"n" * length}"\n'
    home = write_plugin(tmp_path, "seven-7", importing(), entry)
    assert found(home) == ([(*finding, line_of(home, "nnn"))] if finding else [])


@requirement("author:check")
def test_what_a_server_alone_would_notice_is_found_too(tmp_path: Path) -> None:
    pinned = write_plugin(tmp_path, "pinned", importing(), header=f'sha256 = "{"0" * 64}"')
    assert ("error", "integrity_failed") in {(level, code) for level, code, _ in found(pinned)}
    large = write_plugin(
        tmp_path, "large", module("(memory 200)").replace(b"", b"", 0), "[limits]\nmax_memory_mb = 1\n"
    )
    (large / "large.wasm").write_bytes(importing())
    wrong = write_plugin(tmp_path, "wrong", b"no module")
    assert found(wrong)[0][:2] == ("error", "module_invalid")


@requirement("author:check")
def test_syntax_is_pointed_at(tmp_path: Path) -> None:
    home = write_plugin(tmp_path, "odd", importing(), "[capabilities\n")
    assert found(home) == [("error", "manifest_invalid", line_of(home, "[capabilities"))]


@requirement("author:check")
@requirement("commands:exit-codes")
def test_the_exit_code_is_for_ci(cache: Path, tmp_path: Path) -> None:
    good = write_plugin(tmp_path, "good", importing(), TOOL.format(schema=PLAIN))
    wide = write_plugin(tmp_path, "wide", importing(), TOOL.format(schema=PLAIN) + "[runtime]\nwasi = true\n")
    bad = write_plugin(tmp_path, "bad", importing("log"), TOOL.format(schema=PLAIN))
    assert answer(cache, "check", good)["findings"] == []
    codes = [run(cache, "check", *words).returncode for words in ((wide,), (wide, "--strict"), (bad,))]
    assert codes == [0, 6, 6]
    told = run(cache, "check", bad)
    assert f"{bad}/plugin.toml:1: error[import_undeclared]: " in told.stdout
    assert run(cache, "check", bad, "--quiet").stdout == ""
    assert run(cache, "check", tmp_path).returncode == 2


def test_lines_are_counted_through_texts_arrays_and_tables() -> None:
    text = 'a = """\n[b]\n"""\n[[t]]\nk = [ # ]\n  1,\n]\n[t.s]\n"o k".x = 1\n\n[[t]]\nk = 2\n'
    lines = toml_places(text).lines
    assert {path: lines[path] for path in [("a",), ("t", 0, "k"), ("t", 0, "s", "o k", "x"), ("t", 1, "k")]} == {
        ("a",): 1,
        ("t", 0, "k"): 5,
        ("t", 0, "s", "o k", "x"): 9,
        ("t", 1, "k"): 12,
    }
    assert ("b",) not in lines
    places = json_places('{"a": [\n1, {"b":\n"x\\"{"}],\n"c": true}')
    assert (places.line(("a", 1, "b")), places.line(("c",)), places.line(("a", 1, "zzz"))) == (2, 4, 2)

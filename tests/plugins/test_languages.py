"""The plugin ``hello`` in every language that has an SDK: one behaviour, whatever it is written in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.policy.rights import HOST_FUNCTIONS, HOST_MODULES
from mcp_server.testing import Plugin, ToolFailed
from mcp_server.testing.fixtures import LoadPlugin
from mcp_server.wasm.module import read_module
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ["hello-assemblyscript", "hello-c", "hello-go", "hello-zig"]
MALFORMED = [
    b"",
    b" ",
    b"{",
    b"nul",
    b"[]",
    b'"message"',
    b"{}",
    b'{"message"}',
    b'{"message":}',
    b'{"message":"a"',
    b'{"message":"a}',
    b'{"message":"a",}',
    b'{"message":"a"}}',
    b'{"message":"a"} {}',
    b'{"message":"\\x41"}',
    b'{"message":"\\u12g4"}',
    b'{"message":"\\u12',
    b'{"message":"a\x01"}',
    b'{"message":null}',
    b'{"message":01}',
    b'{"message":-}',
    b'{"message":1e}',
    b'{"message":[104,105]}',
    b'{"message":"a","other":1}',
    b"{'message':'a'}",
    b'{"message":' + b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
]


@pytest.fixture(scope="module", params=OTHERS)
def plugin(request: pytest.FixtureRequest, load_plugin: LoadPlugin) -> Plugin:
    """Each of them; the longest of loads is Go's, which takes seconds of processor."""
    return load_plugin(f"manifests/{request.param}", limits={"max_load_time_ms": 60_000})


def greeting(plugin: Plugin, text: str) -> str:
    return json.loads(plugin.call_raw("hello", text.encode()))["greeting"]


@requirement("plugins:languages")
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(("word", "greeted"), [("Servus", "Servus, Ada!"), (" Hi\t", "Hi, Ada!"), (" ", "Hello, Ada!")])
def test_it_greets_with_the_configured_word(name: str, word: str, greeted: str, load_plugin: LoadPlugin) -> None:
    options = {"config": {"greeting_word": word}, "limits": {"max_load_time_ms": 60_000}}
    assert load_plugin(f"manifests/{name}", **options).call("hello", message="Ada") == {"greeting": greeted}


@requirement("plugins:languages")
def test_it_asks_for_its_word_and_logs_the_length_of_a_message_and_not_the_message(plugin: Plugin) -> None:
    plugin.call("hello", message="sécret")
    assert [(call.function, call.outcome) for call in plugin.host_calls] == [("get_config", "ok"), ("log", "ok")]
    assert [(line.level, line.message, dict(line.fields)) for line in plugin.logs] == [
        ("info", "greeted", {"word": "Hello", "message_bytes": 7})
    ]


@requirement("plugins:languages")
@settings(max_examples=100, deadline=None)
@given(message=st.text(), ascii_only=st.booleans())
def test_every_text_is_greeted_as_it_is_in_both_spellings_of_json(
    plugin: Plugin, message: str, ascii_only: bool
) -> None:
    text = json.dumps({"message": message}, ensure_ascii=ascii_only, indent=1)
    assert greeting(plugin, text) == f"Hello, {message}!"


@requirement("plugins:languages")
def test_every_short_escape_is_read(plugin: Plugin) -> None:
    assert greeting(plugin, r'{"mess\u0061ge": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}') == 'Hello, "\\/\b\f\n\r\té😀!'


@requirement("plugins:languages")
def test_a_long_text_is_greeted(plugin: Plugin) -> None:
    message = 'é"\n' * 20_000
    assert plugin.call("hello", message=message) == {"greeting": f"Hello, {message}!"}


@requirement("plugins:languages")
@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:24]))
def test_what_is_no_message_is_an_error_that_says_so(plugin: Plugin, data: bytes) -> None:
    with pytest.raises(ToolFailed, match="(?i)the input .*is not right") as caught:
        plugin.call_raw("hello", data)
    assert caught.value.code == "plugin_error"


@requirement("plugins:languages")
@pytest.mark.parametrize("name", OTHERS)
def test_a_module_imports_only_the_host_functions_that_it_calls(name: str) -> None:
    module = read_module((ROOT / "plugins" / name / f"{name}.wasm").read_bytes())
    assert {item.name for item in module.imports if item.module in HOST_MODULES} == {"get_config", "log"}


IMPORTS = {
    "assemblyscript/imports.ts": r'@external\("agentmem", "(\w+)"\)',
    "c/agentmem.h": r"X\((\w+)\)",
    "go/host.go": r"//go:wasmimport agentmem (\w+)",
    "zig/agentmem.zig": r'extern "agentmem" fn (\w+)\(',
}


@requirement("plugins:languages")
@pytest.mark.parametrize("source", IMPORTS)
def test_every_sdk_binds_every_host_function(source: str) -> None:
    text = (ROOT / "sdk" / source).read_text(encoding="utf-8")
    bound = [name for name in re.findall(IMPORTS[source], text) if name != "X"]
    assert sorted(bound) == sorted(HOST_FUNCTIONS)

"""The plugins on the Rust SDK, as built: what they import, what they say of themselves, how they fail."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from jsonschema_rs import meta

from mcp_server.errors import AgentMemError
from mcp_server.host import PluginHost
from mcp_server.wasm import read_module

ROOT = Path(__file__).parents[2]
ON_THE_SDK = {"hello": {"log", "get_config"}, "fetcher": {"http_request"}}


@pytest.fixture
async def host(cache: Path) -> AsyncIterator[PluginHost]:
    async with PluginHost(cache=cache / "cache").load_plugins_from_dir(ROOT / "plugins", ROOT / "manifests") as host:
        yield host


@pytest.mark.parametrize("plugin", ON_THE_SDK)
def test_a_module_imports_the_host_functions_that_it_calls_and_no_other(plugin: str) -> None:
    module = read_module((ROOT / "plugins" / plugin / f"{plugin}.wasm").read_bytes())
    assert {item.name for item in module.imports if item.module == "agentmem"} == ON_THE_SDK[plugin]
    assert {item.module for item in module.imports} == {"agentmem", "extism:host/env"}


@pytest.mark.parametrize("plugin", ON_THE_SDK)
async def test_metadata_says_what_the_manifest_says(host: PluginHost, plugin: str) -> None:
    manifest = tomllib.loads((ROOT / "manifests" / plugin / "plugin.toml").read_text(encoding="utf-8"))
    told = await host.call(plugin, "metadata")
    assert {key: told[key] for key in ("name", "version", "description", "author")} == {
        key: manifest["plugin"][key] for key in ("name", "version", "description", "author")
    }
    assert told["plugin_type"] == manifest["plugin"]["type"]
    assert told["required_capabilities"] == manifest["capabilities"].get("required", [])
    meta.validate(told["config_schema"])
    assert set(manifest.get("config", {})) <= set(told["config_schema"]["properties"])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, "missing field `message`."),
        (
            {"message": 5},
            "at `message`: invalid type: integer `5`, expected a string.",
        ),
        ({"message": "a", "loud": 1}, "unknown field `loud`, expected `message`."),
        ([], "invalid length 0"),
        (b"", "EOF while parsing a value."),
        (b"\xff\xfe", ""),
        (b'{"message": "\\ud800"}', ""),
        (b"[" * 100_000, ""),
    ],
)
async def test_an_input_that_is_not_right_is_told_by_function_and_field(
    host: PluginHost, value: object, problem: str
) -> None:
    with pytest.raises(AgentMemError) as caught:
        await host.call("hello", "hello", value)
    assert caught.value.error_code == "plugin_error"
    assert caught.value.message.startswith("The input of hello is not right: " + problem)


async def test_a_refusal_of_the_host_is_the_plugins_error(host: PluginHost) -> None:
    with pytest.raises(AgentMemError) as caught:
        await host.call_tool("fetcher__fetch", {"url": "https://example.com/"})
    assert caught.value.error_code == "plugin_error"
    assert "NetworkAccess" in caught.value.message


def test_a_plugin_on_the_sdk_is_stale_when_the_sdk_changed() -> None:
    listed = "from recipes.rust import Rust; import pathlib; print(*Rust().contents(pathlib.Path('hello').absolute()))"
    told = subprocess.run(
        [sys.executable, "-c", listed], cwd=ROOT / "plugins", capture_output=True, text=True, check=True
    )
    names = set(told.stdout.split())
    assert {"sdk/rust/src/entry.rs", "sdk/rust/macros/src/export.rs", "sdk/rust/Cargo.toml"} <= names
    assert {"plugins/hello/src/lib.rs", "plugins/hello/src/config.schema.json"} <= names


@pytest.mark.parametrize("plugin", ON_THE_SDK)
def test_schemas_are_generated_files_of_valid_json_schema(plugin: str) -> None:
    for path in (ROOT / "manifests" / plugin / "schemas").iterdir():
        schema = json.loads(path.read_text(encoding="utf-8"))
        meta.validate(schema)
        assert schema["type"] == "object"
        assert "$ref" not in path.read_text(encoding="utf-8")

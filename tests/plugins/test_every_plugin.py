"""What holds for every plugin in ``manifests/``; a new one is taken up by itself."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mcp_server.testing import ToolFailed, readme_examples, readme_options
from mcp_server.testing.fixtures import LoadPlugin
from tests.plugins.arbitrary import answers_whatever_it_is_given
from tests.requirements import requirement

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = {path.parent.name: tomllib.loads(path.read_text("utf-8")) for path in ROOT.glob("manifests/*/plugin.toml")}
IDS = sorted(MANIFESTS)
TOOLS = [(plugin, tool.get("name", tool["function"])) for plugin in IDS for tool in MANIFESTS[plugin]["tools"]]
README_TEST = "test_the_readme_is_true"


def granted(plugin: str, how: str) -> dict[str, Any]:
    """A grant of all that the manifest asks for, or only of what it requires."""
    asked = MANIFESTS[plugin].get("capabilities", {})
    kinds = ("required", "optional") if how == "granted" else ("required",)
    return {"capabilities": [name for kind in kinds for name in asked.get(kind, ())]}


def examples_run_elsewhere(plugin: str) -> bool:
    """Whether the plugin's own tests run its README, because it needs a server beside it."""
    own = Path(__file__).parent / f"test_{plugin.replace('-', '_')}.py"
    tree = ast.parse(own.read_text("utf-8") if own.exists() else "")
    return README_TEST in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("plugin", IDS)
def test_every_tool_tells_a_model_what_it_is_for(plugin: str) -> None:
    for tool in MANIFESTS[plugin]["tools"]:
        assert {"title", "description", "annotations", "input_schema"} <= set(tool), tool["function"]
        assert "read_only" in tool["annotations"], tool["function"]
        assert "output_schema" in tool or tool.get("result") in {"text", "content"}, tool["function"]


@pytest.mark.parametrize("plugin", IDS)
def test_every_argument_is_described(plugin: str, load_plugin: LoadPlugin) -> None:
    for word, tool in load_plugin(f"manifests/{plugin}", grants=granted(plugin, "granted")).tools.items():
        for name, schema in tool.input_schema.get("properties", {}).items():
            assert schema is True or "description" in schema or "$ref" in schema, f"{word}: {name}"


@pytest.mark.parametrize("plugin", IDS)
def test_the_metadata_agrees_with_the_manifest(plugin: str, load_plugin: LoadPlugin) -> None:
    loaded = load_plugin(f"manifests/{plugin}", grants=granted(plugin, "granted"))
    try:
        told = loaded.call_export("metadata")
    except ToolFailed as failed:
        assert failed.code == "function_missing"
        return
    stated = MANIFESTS[plugin]["plugin"]
    required = MANIFESTS[plugin].get("capabilities", {}).get("required", [])
    assert (told["name"], told["version"]) == (stated["name"], stated["version"])
    assert told["plugin_type"] == stated.get("type", "Custom")
    assert sorted(told["required_capabilities"]) == sorted(required)


@requirement("plugins:readme")
@pytest.mark.parametrize("plugin", IDS)
def test_every_tool_has_an_example_in_the_readme(plugin: str) -> None:
    shown = {example.tool for example in readme_examples(ROOT / "plugins" / plugin / "README.md")}
    assert shown == {word for owner, word in TOOLS if owner == plugin}


@requirement("plugins:readme")
@pytest.mark.parametrize("plugin", [plugin for plugin in IDS if not examples_run_elsewhere(plugin)])
def test_the_examples_of_the_readme_are_true(plugin: str, load_plugin: LoadPlugin) -> None:
    page = ROOT / "plugins" / plugin / "README.md"
    loaded = load_plugin(f"manifests/{plugin}", **readme_options(page))
    for example in readme_examples(page):
        example.check(loaded)


@requirement("plugins:no-panics")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["granted", "refused"])
@pytest.mark.parametrize(("plugin", "tool"), TOOLS)
def test_a_tool_answers_or_refuses_whatever_it_is_given(
    plugin: str, tool: str, how: str, load_plugin: LoadPlugin
) -> None:
    loaded = load_plugin(f"manifests/{plugin}", grants=granted(plugin, how))
    answers_whatever_it_is_given(loaded, tool)

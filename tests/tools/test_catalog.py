"""The catalogue: names, the facts of a tool, and the annotations that follow from rights."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mcp_server.errors import ToolNotFound
from mcp_server.policy.rights import CAPABILITIES, Capability
from mcp_server.settings import Grant, Settings
from mcp_server.tools.catalog import ToolAnnotations
from tests.guests import ECHO, module, write_plugin
from tests.tools.conftest import MakeTool, catalog_of

HARMLESS = {"LoggingAccess", "ConfigAccess", "SearchAccess"}
OUTSIDE = {"NetworkAccess", "LLMAccess"}


@pytest.mark.parametrize("capability", [None, *CAPABILITIES])
def test_annotations_follow_from_what_the_plugin_may_really_do(
    make_tool: MakeTool, capability: Capability | None
) -> None:
    rest = f'[capabilities]\nrequired = ["{capability}"]' if capability else ""
    granted = Settings(grants={"p": Grant(capabilities=(capability,) if capability else ())})
    harmless = capability is None or capability in HARMLESS
    assert make_tool("", rest, granted).annotations == ToolAnnotations(
        read_only=harmless,
        destructive=not harmless,
        idempotent=harmless,
        open_world=capability in OUTSIDE,
    )


@pytest.mark.parametrize("capability", ["LoggingAccess", "StorageAccess", "NetworkAccess"])
def test_a_plugins_own_claims_make_its_annotations_more_cautious_and_never_less(
    make_tool: MakeTool, capability: str
) -> None:
    rest = f'[capabilities]\nrequired = ["{capability}"]'
    granted = Settings(grants={"p": Grant(capabilities=(capability,))})
    plain = make_tool("", rest, granted).annotations
    for read_only, destructive, idempotent, open_world in itertools.product([True, False], repeat=4):
        claims = (
            f"read_only = {read_only}, destructive = {destructive}, "
            f"idempotent = {idempotent}, open_world = {open_world}"
        )
        shown = make_tool(f"annotations = {{ {claims.lower()} }}", rest, granted).annotations
        assert shown.read_only <= plain.read_only
        assert shown.destructive >= plain.destructive
        assert shown.idempotent <= plain.idempotent
        assert shown.open_world >= plain.open_world
        assert not (shown.read_only and not read_only)
        assert shown.open_world or not open_world


def test_an_optional_right_that_is_not_granted_does_not_count(make_tool: MakeTool) -> None:
    shown = make_tool("", '[capabilities]\noptional = ["NetworkAccess"]').annotations
    assert shown == ToolAnnotations(read_only=True, destructive=False, idempotent=True, open_world=False)


@pytest.mark.parametrize("isolation", ["session", "shared"])
def test_a_plugin_that_keeps_state_is_not_idempotent(make_tool: MakeTool, isolation: str) -> None:
    assert not make_tool("", f'[runtime]\nisolation = "{isolation}"').annotations.idempotent


def test_a_tool_has_what_its_manifest_says(make_tool: MakeTool) -> None:
    tool = make_tool('title = "Echo"\ndescription = "Says it again"\noutput_schema = { type = "object" }')
    assert (tool.title, tool.description, tool.plugin, tool.function) == ("Echo", "Says it again", "p", "echo")
    assert tool.output is not None
    assert tool.output.source == {"type": "object"}
    assert tool.input.source == {"type": "object"}
    assert make_tool().description == "echo of the plugin p"


def test_the_second_half_of_a_name_is_the_name_the_operation_or_the_function(tmp_path: Path, cache: Path) -> None:
    wasm = module(ECHO + '(func (export "process") (result i32) (i32.const 0))')
    entries = 'function = "echo"\nname = "Again"', 'function = "echo"', 'function = "process"\noperation = "tidy"'
    write_plugin(tmp_path, "p", wasm, "".join(f"[[tools]]\n{entry}\n" for entry in entries))
    write_plugin(tmp_path, "a-b", wasm, "".join(f"[[tools]]\n{entry}\n" for entry in entries))
    names = ["Again", "echo", "tidy"]
    assert list(catalog_of(tmp_path, cache).tools) == [f"{plugin}__{name}" for plugin in ("a-b", "p") for name in names]


@pytest.mark.parametrize("length", [64, 1])
def test_a_name_may_be_sixty_four_characters_long(tmp_path: Path, cache: Path, length: int) -> None:
    word = "n" * max(length - len("p__"), 1)
    write_plugin(tmp_path, "p", module(ECHO), f'[[tools]]\nfunction = "echo"\nname = "{word}"\n')
    assert list(catalog_of(tmp_path, cache).tools) == [f"p__{word}"]


def test_a_name_that_is_not_there_is_told_with_the_nearest_ones(
    make_tool: MakeTool, tmp_path: Path, cache: Path
) -> None:
    write_plugin(tmp_path, "notes", module(ECHO))
    catalog = catalog_of(tmp_path, cache)
    with pytest.raises(ToolNotFound, match=r"^there is no tool 'note__echo'; did you mean notes__echo\?$"):
        catalog.find("note__echo")
    with pytest.raises(ToolNotFound, match=r"^there is no tool 'zzz'$"):
        catalog.find("zzz")
    with pytest.raises(ToolNotFound) as caught:
        catalog.find("x" * 100_000)
    assert len(caught.value.message) < 200

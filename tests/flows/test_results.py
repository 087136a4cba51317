"""From a plugin's output to what a client of either era gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp_types import AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent

from tests.conftest import Connect
from tests.flows import bodies
from tests.guests import answers, write_plugin
from tests.requirements import requirement
from tests.stdio_server import Json, StdioServer, error_code, text_of

TREE = {
    "type": "array",
    "items": {"$ref": "#/$defs/leaf"},
    "$defs": {"leaf": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}},
}
PNG = "iVBORw0KGgo="
BLOCKS: list[Json] = [
    {"type": "text", "text": "see", "annotations": {"audience": ["user"], "priority": 0.5}},
    {"type": "image", "data": PNG, "mimeType": "image/png"},
    {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"},
    {"type": "resource_link", "uri": "file:///a.txt", "name": "a", "mimeType": "text/plain", "size": 3},
    {"type": "resource", "resource": {"uri": "note://1", "mimeType": "text/plain", "text": "abc"}},
    {"type": "resource", "resource": {"uri": "note://2", "blob": PNG}},
]
BAD_CONTENT: dict[str, tuple[object, str]] = {
    "no-list": ('"text"', "valid list"),
    "unknown-type": ([{"type": "video", "data": ""}], "does not match any of the expected tags"),
    "unknown-key": ([{"type": "text", "text": "a", "html": "b"}], "0/text/html"),
    "no-base64": ([{"type": "image", "data": "!!!", "mimeType": "image/png"}], "0/image/data"),
    "no-mime": ([{"type": "image", "data": PNG}], "0/image/mimeType"),
    "empty-resource": ([{"type": "resource", "resource": {"uri": "a://b"}}], "either 'text' or 'blob'"),
    "odd-error-flag": ({"content": [], "isError": "yes"}, "'isError' is no boolean"),
    "odd-key": ({"content": [], "resultType": "complete"}, "the unknown key 'resultType'"),
    "many": ([{"type": "text", "text": ""}] * 257, "at most 256"),
}
HOSTILE = "\x1b[31mred\x07\x9b2J\u202egnol\U000e0041\nnext\tcell"


def tool(result: str = "", schema: Mapping[str, Any] | None = None, extra: str = "") -> str:
    lines = ["[[tools]]", 'function = "run"', extra]
    if result:
        lines.append(f'result = "{result}"')
    if schema is not None:
        lines.append('output_schema = "out.json"')
    return "\n".join(lines)


def fill(folder: Path) -> None:
    def add(
        plugin: str, output: object, result: str = "", schema: Mapping[str, Any] | None = None, extra: str = ""
    ) -> None:
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
        home = write_plugin(folder, plugin, bodies.answers_with(text), tool(result, schema, extra))
        (home / "out.json").write_text(json.dumps(schema))

    add("object", {"a": [1, "ü"]})
    add("array", [1, 2])
    add("number", 5)
    add("nothing", "null")
    add("string", '"quoted"')
    add("text", "plain text")
    add("markdown", "[a link](x) and {braces")
    add("typed-object", {"n": 1}, schema={"type": "object", "required": ["n"]})
    add("typed-array", [{"n": 1}], schema=TREE)
    add("typed-number", 5, schema={"type": "integer"})
    add("typed-null", "null", schema={"type": ["object", "null"]})
    add("broken-promise", {"m": 1}, schema={"type": "object", "required": ["n"]})
    add("no-json", "text", schema={"type": "object"})
    add("must-be-json", "text", "json")
    add("text-of-json", {"a": 1}, "text")
    add("blocks", BLOCKS, "content")
    add(
        "blocks-and-data",
        {"content": BLOCKS[:1], "structuredContent": {"n": 1}},
        "content",
        {"type": "object", "required": ["n"]},
    )
    add("data-alone", {"structuredContent": {"n": 1}}, "content")
    add("blocks-without-data", BLOCKS[:1], "content", {"type": "object"})
    add("own-error", {"content": [{"type": "text", "text": "no luck"}], "isError": True}, "content", {"type": "object"})
    add("endless-number", '{"content": [], "structuredContent": {"n": 1e999}}', "content")
    for name, (value, _) in BAD_CONTENT.items():
        add(f"bad-{name}", value, "content")
    add("hostile-text", HOSTILE)
    add("hostile-json", {"s": HOSTILE})
    add("hostile-blocks", [{"type": "resource_link", "uri": "a://b", "name": HOSTILE}], "content")
    write_plugin(folder, "hostile-error", bodies.guest_error(HOSTILE))
    write_dispatchers(folder)
    echo_text = '[[tools]]\nfunction = "echo"\ninput = "text"\n'
    write_plugin(folder, "verbatim", bodies.also_echo(""), echo_text + 'result = "text"')


def write_dispatchers(folder: Path) -> None:
    """Plugins with one function ``process`` that answers with a PluginResponse."""

    def add(plugin: str, response: object, more: str = "") -> None:
        wasm = answers(json.dumps(response), "process") if response is not None else bodies.repeats_its_request()
        entry = f'[[tools]]\nfunction = "process"\noperation = "tidy"\n{more}'
        write_plugin(folder, plugin, wasm, entry)

    add("done", {"success": True, "data": {"n": 1}, "error": None, "metadata": {}})
    add("refused", {"success": False, "data": None, "error": "the shelf is full", "metadata": {}})
    add("mute", {"success": False})
    add("confused", {"ok": True})
    add("shows", {"success": True, "data": BLOCKS[:2]}, 'result = "content"')
    add("says", {"success": True, "data": "plain"}, 'result = "text"')
    add("repeats", None)


async def modern_and_legacy(zoo: StdioServer, old_zoo: StdioServer, name: str) -> tuple[Json, Json]:
    params: Json = {"name": name, "arguments": {}}
    return (await zoo.modern("tools/call", params))["result"], (await old_zoo.ask("tools/call", params))["result"]


@requirement("result:object")
@pytest.mark.parametrize("plugin", ["object", "typed-object"])
async def test_a_json_object_is_structured_content_and_text_in_both_eras(
    zoo: StdioServer, old_zoo: StdioServer, plugin: str
) -> None:
    for result in await modern_and_legacy(zoo, old_zoo, f"{plugin}__run"):
        assert json.loads(text_of(result)) == result["structuredContent"]
        assert not result["isError"]


@requirement("result:scalar-or-array")
@pytest.mark.parametrize(
    ("plugin", "value"), [("array", [1, 2]), ("number", 5), ("typed-array", [{"n": 1}]), ("typed-number", 5)]
)
async def test_a_json_array_or_scalar_is_wrapped_for_the_clients_that_know_objects_only(
    zoo: StdioServer, old_zoo: StdioServer, plugin: str, value: object
) -> None:
    modern, legacy = await modern_and_legacy(zoo, old_zoo, f"{plugin}__run")
    assert modern["structuredContent"] == value
    assert legacy["structuredContent"] == {"result": value}
    assert json.loads(text_of(modern)) == json.loads(text_of(legacy)) == value


@requirement("result:scalar-or-array")
async def test_null_is_text_and_wrapped_for_old_clients_where_a_schema_promises_it(
    zoo: StdioServer, old_zoo: StdioServer
) -> None:
    """Known gap: the SDK leaves a bare null out of a 2026-07-28 result."""
    modern, legacy = await modern_and_legacy(zoo, old_zoo, "typed-null__run")
    assert ("structuredContent" in modern, legacy["structuredContent"]) == (False, {"result": None})
    for result in await modern_and_legacy(zoo, old_zoo, "nothing__run"):
        assert (text_of(result), "structuredContent" in result) == ("null", False)


@requirement("result:scalar-or-array")
async def test_an_old_client_is_listed_wrapped_schemas_and_a_new_one_the_schemas_themselves(
    zoo: StdioServer, old_zoo: StdioServer
) -> None:
    listed = {tool["name"]: tool for tool in (await zoo.modern("tools/list"))["result"]["tools"]}
    old = {tool["name"]: tool for tool in (await old_zoo.ask("tools/list"))["result"]["tools"]}
    assert listed["typed-array__run"]["outputSchema"] == TREE
    wrapped = old["typed-array__run"]["outputSchema"]
    assert (wrapped["type"], wrapped["required"], set(wrapped["properties"])) == ("object", ["result"], {"result"})
    assert wrapped["properties"]["result"]["items"] == TREE["items"]
    assert old["typed-object__run"]["outputSchema"] == listed["typed-object__run"]["outputSchema"]
    assert listed.keys() == old.keys()
    assert all("outputSchema" not in tool or tool["outputSchema"]["type"] == "object" for tool in old.values())


@requirement("result:scalar-or-array")
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_sdk_client_accepts_every_kind_of_result_against_its_listed_schema(
    connect: Connect, plugins: Path, mode: str
) -> None:
    fill(plugins)
    async with connect(mode) as client:
        await client.list_tools()
        for plugin in ("object", "array", "number", "nothing", "text", "typed-object", "typed-array", "typed-number"):
            assert not (await client.call_tool(f"{plugin}__run", {})).is_error
        assert (await client.call_tool("broken-promise__run", {})).is_error
        assert (await client.call_tool("own-error__run", {})).is_error
        blocks = (await client.call_tool("blocks__run", {})).content
    kinds = [TextContent, ImageContent, AudioContent, ResourceLink, EmbeddedResource, EmbeddedResource]
    assert [type(block) for block in blocks] == kinds


@requirement("result:text")
@pytest.mark.parametrize(
    ("plugin", "text"),
    [
        ("text", "plain text"),
        ("markdown", "[a link](x) and {braces"),
        ("string", "quoted"),
        ("text-of-json", '{"a": 1}'),
        ("says", "plain"),
    ],
)
async def test_text_stays_text(zoo: StdioServer, old_zoo: StdioServer, plugin: str, text: str) -> None:
    word = "tidy" if plugin == "says" else "run"
    for result in await modern_and_legacy(zoo, old_zoo, f"{plugin}__{word}"):
        assert (text_of(result), result["isError"], "structuredContent" in result) == (text, False, False)


@requirement("result:schema-checked")
async def test_a_result_that_breaks_its_output_schema_is_a_tool_error_with_the_place(zoo: StdioServer) -> None:
    result = await zoo.call("broken-promise__run")
    assert error_code(result) == "output_invalid"
    assert '(root): "n" is a required property' in text_of(result)
    assert "structuredContent" not in result


@requirement("result:garbage")
@pytest.mark.parametrize("plugin", ["no-json", "must-be-json"])
async def test_text_where_json_was_promised_is_a_tool_error(zoo: StdioServer, plugin: str) -> None:
    result = await zoo.call(f"{plugin}__run")
    assert error_code(result) == "output_invalid"
    assert "not valid JSON" in text_of(result)


@requirement("result:content")
async def test_content_blocks_of_every_kind_pass_unchanged(zoo: StdioServer, old_zoo: StdioServer) -> None:
    for result in await modern_and_legacy(zoo, old_zoo, "blocks__run"):
        assert result["content"] == BLOCKS
        assert "structuredContent" not in result


@requirement("result:content")
async def test_content_may_come_with_structured_content_or_be_made_of_it(zoo: StdioServer) -> None:
    both = await zoo.call("blocks-and-data__run")
    assert (both["content"], both["structuredContent"]) == (BLOCKS[:1], {"n": 1})
    alone = await zoo.call("data-alone__run")
    assert (text_of(alone), alone["structuredContent"]) == ('{"n":1}', {"n": 1})


@requirement("result:content")
async def test_content_that_the_plugin_marks_as_an_error_is_one_and_needs_no_promised_data(zoo: StdioServer) -> None:
    result = await zoo.call("own-error__run")
    assert (result["isError"], text_of(result)) == (True, "no luck")
    assert error_code(await zoo.call("blocks-without-data__run")) == "output_invalid"


@requirement("result:content")
@pytest.mark.parametrize("name", BAD_CONTENT)
async def test_what_is_no_mcp_content_is_a_tool_error_that_says_where(zoo: StdioServer, name: str) -> None:
    result = await zoo.call(f"bad-{name}__run")
    assert error_code(result) == "output_invalid"
    assert BAD_CONTENT[name][1] in text_of(result)


@requirement("result:garbage")
async def test_a_number_past_infinity_in_structured_content_never_reaches_the_wire(zoo: StdioServer) -> None:
    result = await zoo.call("endless-number__run")
    assert error_code(result) == "output_invalid"
    assert "a number that is not finite" in text_of(result)


@requirement("result:text")
async def test_control_characters_are_taken_out_of_text_and_deceptive_ones_are_told(zoo: StdioServer) -> None:
    shown = "[31mred2J\u202egnol\U000e0041\nnext\tcell"
    for name in ("hostile-text__run", "hostile-blocks__run", "hostile-error__run"):
        result = await zoo.call(name)
        block = result["content"][0]
        assert (block.get("text") or block["name"]).removeprefix("error[plugin_error]: ") == shown
        assert "\x1b" not in json.dumps(result, ensure_ascii=False)
        assert result["_meta"]["agentmem/deceptive-characters"] == ["U+202E", "U+E0041"]


@requirement("result:object")
async def test_control_characters_in_json_stay_in_the_value_and_are_escaped_in_its_text(zoo: StdioServer) -> None:
    result = await zoo.call("hostile-json__run")
    assert result["structuredContent"] == json.loads(text_of(result)) == {"s": HOSTILE}
    assert not {"\x1b", "\x07", "\x9b"} & set(text_of(result))
    assert result["_meta"]["agentmem/deceptive-characters"] == ["U+202E", "U+E0041"]


@requirement("result:object")
async def test_a_dispatcher_gets_a_plugin_request_and_its_data_is_the_result(zoo: StdioServer) -> None:
    assert (await zoo.call("done__tidy"))["structuredContent"] == {"n": 1}
    request = (await zoo.call("repeats__tidy", {"a": 1}))["structuredContent"]
    assert {**request, "id": ""} == {"id": "", "operation": "tidy", "data": {"a": 1}, "metadata": {}}


@requirement("call:plugin-error")
async def test_a_dispatcher_that_does_not_succeed_is_a_tool_error_with_its_text(zoo: StdioServer) -> None:
    refused = await zoo.call("refused__tidy")
    assert (error_code(refused), text_of(refused)) == ("plugin_error", "error[plugin_error]: the shelf is full")
    assert text_of(await zoo.call("mute__tidy")) == "error[plugin_error]: the plugin gave no reason"


@requirement("result:garbage")
async def test_a_dispatcher_that_does_not_answer_with_a_plugin_response_is_a_tool_error(zoo: StdioServer) -> None:
    result = await zoo.call("confused__tidy")
    assert error_code(result) == "output_invalid"
    assert "not a PluginResponse" in text_of(result)


@requirement("result:content")
async def test_the_data_of_a_dispatcher_may_be_content(zoo: StdioServer) -> None:
    assert (await zoo.call("shows__tidy"))["content"] == BLOCKS[:2]


@requirement("result:text")
async def test_a_tool_that_takes_text_gets_its_argument_as_it_is(zoo: StdioServer) -> None:
    listed = {tool["name"]: tool for tool in (await zoo.modern("tools/list"))["result"]["tools"]}
    assert listed["verbatim__echo"]["inputSchema"]["required"] == ["text"]
    assert text_of(await zoo.call("verbatim__echo", {"text": '"a" ü\n'})) == '"a" ü\n'
    assert error_code(await zoo.call("verbatim__echo", {"text": 5})) == "invalid_arguments"
    assert error_code(await zoo.call("verbatim__echo", {})) == "invalid_arguments"

"""Plugins and callers that misbehave in a call: each gets one typed error, and the next call is answered."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from tests.flows import bodies
from tests.guests import write_plugin
from tests.requirements import requirement
from tests.stdio_server import META, Json, StdioServer, error_code, text_of

MIB = 1024 * 1024
NARROW = """
[limits]
max_json_depth = 3
[[tools]]
function = "run"
[tools.input_schema]
type = "object"
required = ["name"]
additionalProperties = false
properties.name = { type = "string" }
properties.count = { type = "integer", minimum = 0 }
properties.tree = {}
[[tools]]
function = "echo"
"""
GARBAGE: dict[str, tuple[str | bytes, str]] = {
    "not-utf-8": (b"caf\xe9", "not UTF-8 (byte 3)"),
    "not-a-number": ('{"n": NaN}', "not valid JSON"),
    "bare-nan": ("NaN", "not valid JSON"),
    "infinity": ("[-Infinity]", "not valid JSON"),
    "overflow": ('{"n": 1e999}', "a number that is not finite"),
    "lone-surrogate": ('{"s": "\\ud800"}', "not valid JSON"),
    "bare-lone-surrogate": ('"\\udc00x"', "not valid JSON"),
    "huge-integer": ('{"n": ' + "9" * 5_000 + "}", "not valid JSON"),
}
FATAL: dict[str, tuple[bytes, str, str, str]] = {
    # plugin: module, more manifest, code, what the text says
    "trap": (bodies.also_echo(bodies.TRAP), "", "plugin_trapped", "unreachable"),
    "out-of-bounds": (bodies.also_echo(bodies.OUT_OF_BOUNDS), "", "plugin_trapped", "out of bounds"),
    "stack": (bodies.also_echo(bodies.EAT_STACK), "", "plugin_trapped", "stack exhausted"),
    "memory": (
        bodies.also_echo(bodies.EAT_MEMORY),
        "[limits]\nmax_memory_mb = 4",
        "limit_memory",
        "max_memory_mb = 4 MiB",
    ),
    "loop": (
        bodies.also_echo(bodies.SLOW_LOOP),
        "[limits]\nmax_execution_time_ms = 150",
        "limit_execution_time",
        "max_execution_time_ms = 150 ms",
    ),
    "fuel": (
        bodies.also_echo(bodies.LOOP),
        "[limits]\nmax_instructions = 1_000_000",
        "limit_instructions",
        "max_instructions = 1000000",
    ),
    "guest-error": (bodies.guest_error("the recipe has no title"), "", "plugin_error", "the recipe has no title"),
    "odd-guest-error": (bodies.guest_error(b"\xff\xfe then text"), "", "plugin_error", "then text"),
    # what the Rust PDK returns with every error; and words that the engine's own errors have, too
    "minus-one": (bodies.guest_error("no fuel left in the oom truck", -1), "", "plugin_error", "fuel left in the oom"),
    "silent-error": (bodies.also_echo(bodies.FAILS_SILENTLY), "", "plugin_error", "returned 7"),
    "too-long": (bodies.long_output(MIB + 1), "", "limit_output_bytes", "used 1048577 bytes"),
    "too-deep": (bodies.answers_with("[" * 65 + "]" * 65), "", "limit_json_depth", "used 65 levels"),
    "far-too-deep": (bodies.answers_with("[" * 5_000 + "]" * 5_000), "", "limit_json_depth", "max_json_depth = 64"),
}


def fill(folder: Path) -> None:
    write_plugin(folder, "well", bodies.also_echo(""))
    write_plugin(folder, "narrow", bodies.answers_with('"ran"'), NARROW)
    write_plugin(folder, "long", bodies.long_output(MIB))
    write_plugin(folder, "deep", bodies.answers_with("[" * 64 + "]" * 64))
    write_plugin(folder, "empty", bodies.answers_with(""))
    for plugin, (wasm, more, _, _) in FATAL.items():
        write_plugin(folder, plugin, wasm, more)
    for plugin, (output, _) in GARBAGE.items():
        write_plugin(folder, plugin, bodies.answers_with(output))
    quick = "[limits]\nmax_load_time_ms = 300"
    spin, grow = "(loop $again (br $again))", "(loop $again (drop (memory.grow (i32.const 0))) (br $again))"
    write_plugin(folder, "start-loop", bodies.starts_with(grow), quick)
    write_plugin(folder, "start-fuel", bodies.starts_with(spin), "[limits]\nmax_instructions = 1_000_000")
    write_plugin(folder, "start-trap", bodies.starts_with("unreachable"))


async def fails(server: StdioServer, tool: str, code: str, *words: str, arguments: object = None) -> Json:
    """Call ``tool``, which must fail with ``code``; then its plugin and another one must answer."""
    with anyio.fail_after(40):
        result = await server.call(tool, arguments)
        assert error_code(result) == code
        for word in words:
            assert word in text_of(result)
        await answers(server, tool.partition("__")[0])
        await answers(server, "well")
    return result


async def answers(server: StdioServer, plugin: str) -> None:
    value = {"for": plugin}
    assert (await server.call(f"{plugin}__echo", value))["structuredContent"] == value


@requirement("call:next-answered")
@pytest.mark.parametrize("plugin", FATAL)
async def test_a_call_that_ends_badly_is_one_typed_error_and_the_next_call_is_answered(
    zoo: StdioServer, plugin: str
) -> None:
    _, _, code, says = FATAL[plugin]
    await fails(zoo, f"{plugin}__run", code, says)


@requirement("call:trap")
async def test_a_trap_says_which_function_of_which_plugin_trapped_and_why(zoo: StdioServer) -> None:
    result = await fails(zoo, "trap__run", "plugin_trapped")
    assert text_of(result) == (
        "error[plugin_trapped]: plugin 'trap' trapped in run: wasm `unreachable` instruction executed"
    )


@requirement("call:loop")
async def test_calls_of_others_are_answered_while_a_plugin_loops(zoo: StdioServer) -> None:
    loop = {"jsonrpc": "2.0", "id": "loop", "method": "tools/call"}
    await zoo.send({**loop, "params": {"name": "loop__run", "arguments": {}, "_meta": META}})
    await answers(zoo, "well")
    assert not [early for early in zoo.seen if early.get("id") == "loop"]  # it still runs
    with anyio.fail_after(40):
        assert error_code((await zoo.answer("loop"))["result"]) == "limit_execution_time"


@requirement("call:memory")
async def test_a_memory_error_names_the_limit_and_its_value_for_programs(zoo: StdioServer) -> None:
    result = await fails(zoo, "memory__run", "limit_memory")
    facts = result["_meta"]["agentmem/error"]
    assert (facts["limit"], facts["allowed"]) == ("memory", 4 * MIB)


@requirement("call:start-loop")
@pytest.mark.parametrize(
    ("plugin", "code", "says"),
    [
        ("start-loop", "limit_load_time", "max_load_time_ms = 300 ms"),
        ("start-fuel", "limit_instructions", "while starting"),
        ("start-trap", "load_failed", "unreachable"),
    ],
)
async def test_a_module_that_does_not_start_is_a_typed_error_each_time(
    zoo: StdioServer, plugin: str, code: str, says: str
) -> None:
    with anyio.fail_after(40):
        for _ in range(2):
            result = await zoo.call(f"{plugin}__echo", {})
            assert error_code(result) == code
            assert says in text_of(result)
        await answers(zoo, "well")


@requirement("result:garbage")
@pytest.mark.parametrize("plugin", GARBAGE)
async def test_output_that_no_client_can_read_is_a_tool_error_that_says_what_it_is(
    zoo: StdioServer, plugin: str
) -> None:
    await fails(zoo, f"{plugin}__run", "output_invalid", GARBAGE[plugin][1])


@requirement("result:too-large")
async def test_output_of_exactly_the_limit_is_answered(zoo: StdioServer) -> None:
    assert len(text_of(await zoo.call("long__run"))) == MIB - 2  # without its quotes
    await answers(zoo, "long")


@requirement("result:garbage")
async def test_json_nested_exactly_to_the_limit_is_answered(zoo: StdioServer) -> None:
    assert text_of(await zoo.call("deep__run")) == "[" * 64 + "]" * 64


@requirement("result:text")
async def test_empty_output_is_a_result_without_content(zoo: StdioServer) -> None:
    result = await zoo.call("empty__run")
    assert (result["content"], result["isError"]) == ([], False)


@requirement("arguments:not-an-object")
@pytest.mark.parametrize("arguments", [[1, 2], "text", 5, True])
async def test_arguments_that_are_no_object_are_refused_by_the_protocol(zoo: StdioServer, arguments: object) -> None:
    answer = await zoo.modern("tools/call", {"name": "well__echo", "arguments": arguments})
    assert answer["error"]["code"] == -32602
    await answers(zoo, "well")


@requirement("arguments:missing-key")
async def test_missing_arguments_count_as_an_empty_object(zoo: StdioServer) -> None:
    assert (await zoo.modern("tools/call", {"name": "well__echo"}))["result"]["structuredContent"] == {}
    result = (await zoo.modern("tools/call", {"name": "narrow__run"}))["result"]
    assert error_code(result) == "invalid_arguments"
    assert '"name" is a required property' in text_of(result)


@requirement("arguments:unknown-key")
async def test_every_problem_of_the_arguments_is_told_with_its_place(zoo: StdioServer) -> None:
    wrong = {"nam": "x", "count": -1}
    result = await fails(zoo, "narrow__run", "invalid_arguments", "'narrow__run'", arguments=wrong)
    problems = result["_meta"]["agentmem/error"]["problems"]
    assert [problem.partition(":")[0] for problem in sorted(problems)] == ["(root)", "(root)", "count"]
    assert "'nam' was unexpected" in text_of(result)


@requirement("arguments:unknown-key")
async def test_good_arguments_reach_the_plugin(zoo: StdioServer) -> None:
    assert text_of(await zoo.call("narrow__run", {"name": "x", "count": 10**40})) == "ran"


@requirement("arguments:too-large")
async def test_ten_megabytes_of_arguments_are_refused_by_the_input_limit(zoo: StdioServer) -> None:
    result = await fails(zoo, "well__echo", "limit_input_bytes", arguments={"text": "x" * 10_000_000})
    assert result["_meta"]["agentmem/error"] | {"message": ""} == {
        "code": "limit_input_bytes",
        "message": "",
        "limit": "input_bytes",
        "allowed": MIB,
        "used": 10_000_011,
    }


@requirement("arguments:too-large")
async def test_arguments_of_exactly_the_input_limit_are_taken(zoo: StdioServer) -> None:
    frame = len(json.dumps({"text": ""}, separators=(",", ":")))
    fits = {"text": "x" * (MIB - frame)}
    assert (await zoo.call("well__echo", fits))["structuredContent"] == fits
    one_more = {"text": "x" * (MIB - frame + 1)}
    assert error_code(await zoo.call("well__echo", one_more)) == "limit_input_bytes"


@requirement("arguments:too-large")
async def test_arguments_nested_past_the_limit_are_refused(zoo: StdioServer) -> None:
    assert text_of(await zoo.call("narrow__run", {"name": "x", "tree": [[1]]})) == "ran"  # with the object: 3 levels
    await fails(zoo, "narrow__run", "limit_json_depth", "used 4 levels", arguments={"name": "x", "tree": [[[1]]]})


@requirement("tools:not-found")
async def test_a_tool_that_does_not_exist_is_a_protocol_error_with_the_nearest_name(zoo: StdioServer) -> None:
    answer = await zoo.modern("tools/call", {"name": "wel__echo", "arguments": {}})
    assert answer["error"]["code"] == -32602
    assert "there is no tool 'wel__echo'; did you mean" in answer["error"]["message"]
    assert "well__echo" in answer["error"]["message"]
    await answers(zoo, "well")


@requirement("tools:not-found")
async def test_an_endless_tool_name_is_answered_at_once_and_not_repeated(zoo: StdioServer) -> None:
    with anyio.fail_after(40):
        answer = await zoo.modern("tools/call", {"name": "x" * 8_000_000, "arguments": {}})
    assert answer["error"]["code"] == -32602
    assert len(answer["error"]["message"]) < 1_000

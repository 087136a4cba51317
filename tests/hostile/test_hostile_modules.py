"""Modules made to harm, each called over stdio while a healthy neighbour is called too (the ``den`` sees to that).

Rows T1 to T9, T17 and the measured failures X1 to X21 are those of the threat model; E1 to E27 the engine's dangers.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.guests import ECHO, module, wat, write_plugin
from tests.hostile.den import Den, hostile
from tests.requirements import requirement
from tests.stdio_server import Json, error_code, text_of

MIB = 1024 * 1024
QUICK = "[limits]\nmax_execution_time_ms = 300"
FUEL = "[limits]\nmax_instructions = 20_000_000"
ANSWERING = "[limits]\nmax_execution_time_ms = 3_000"  # its answer is in time on a busy machine, too
QUICK_LOAD = "[limits]\nmax_load_time_ms = 300"
LOGS = '[capabilities]\nrequired = ["LoggingAccess"]'
ASKS = '[capabilities]\nrequired = ["ConfigAccess"]'
CONFIG = f"""
[plugins.plenty.limits]
max_instructions = 100_000_000_000
[plugins.long-output.limits]
max_memory_mb = 1024
[config.echo-config]
large = "{"x" * 3 * MIB}"
"""

# plugin: module, more of its manifest, code of the error that each call gets, what its text says
ENDS: dict[str, tuple[str, str, str, str]] = {
    "spin": ("spin", FUEL, "limit_instructions", "max_instructions = 20000000"),  # T1
    "plenty": ("spin", QUICK, "limit_execution_time", "max_execution_time_ms = 300 ms"),
    "slow-spin": ("slow-spin", QUICK, "limit_execution_time", "max_execution_time_ms = 300 ms"),
    "start-spin": ("start-spin", QUICK_LOAD, "limit_load_time", "max_load_time_ms = 300 ms"),  # T2, X5
    "reactor-spin": ("reactor-spin", QUICK_LOAD, "limit_load_time", "max_load_time_ms = 300 ms"),
    "initialize-spin": ("initialize-spin", QUICK, "limit_execution_time", "max_execution_time_ms = 300 ms"),
    "grow-past": ("grow-past", "", "limit_memory", "max_memory_mb = 100 MiB"),  # T3
    "grow-at-once": ("grow-at-once", "", "limit_memory", "max_memory_mb = 100 MiB"),
    "recurse": ("recurse", "", "plugin_trapped", "call stack exhausted"),  # T4, X14
    "trap": ("trap", "", "plugin_trapped", "unreachable"),
    "odd-errors": ("odd-errors", "", "plugin_error", "bad \ufffd\ufffd end"),  # E26, X19
    "flood": ("flood", f"{ASKS}\n{FUEL}", "limit_instructions", "max_instructions"),  # T9: it ignores each refusal
}
# plugin: module, what its record says; no engine ever sees these
REFUSED: dict[str, tuple[bytes, str]] = {
    "huge-memory": (hostile("huge-memory"), "the memory starts with 32768 pages"),
    "gc-bomb": (hostile("gc-bomb"), "does not offer WebAssembly GC"),
    "nul-in-import": (hostile("nul-in-import"), "a control character"),  # X2
    "nul-in-export": (hostile("nul-in-export"), "a control character"),
    "one-byte": (b"\0", "1 byte"),  # X1
    "nul-in-text": (b"a\0b", "not a"),  # X3
    "nul-in-header": (b"\0asm\1\0\0\0\0\4\3a\0b", "a control character"),
}


def compile_bomb(functions: int) -> bytes:
    """X16: a small file that takes the compiler seconds."""
    body = "(i32.mul (i32.add (local.get 0) (i32.const 5)) (i32.const 7))"
    many = f"(func (param i32) (result i32) {body})" * functions
    return wat(f'(module {many} (func (export "run") (result i32) (i32.const 0)))')


@pytest.fixture(scope="module")
def lair(lair: Path) -> Path:
    """The lair with everybody in it."""
    (lair / "config.toml").write_text(CONFIG, encoding="utf-8")
    for plugin, (name, more, _, _) in ENDS.items():
        write_plugin(lair, plugin, hostile(name), more)
    for plugin, (wasm, _) in REFUSED.items():
        write_plugin(lair, plugin, wasm)
    write_plugin(lair, "bomb", compile_bomb(40_000), QUICK_LOAD)
    write_plugin(lair, "many-functions", compile_bomb(50_001))
    write_plugin(lair, "stop-spin", hostile("stop-spin"), ANSWERING)
    write_plugin(lair, "table-bomb", hostile("table-bomb"))
    for name in ("forged-error", "forged-output"):
        write_plugin(lair, name, hostile(name))
    write_plugin(lair, "forged-request", hostile("forged-request"), LOGS)
    write_plugin(lair, "echo-config", hostile("echo-config"), f"{ASKS}\n[limits]\nmax_memory_mb = 1")
    write_plugin(lair, "long-output", hostile("long-output"), '[[tools]]\nfunction = "run"\nresult = "text"')
    write_plugin(lair, "leak", hostile("leak"), "[limits]\nmax_memory_mb = 10")
    shared = '[runtime]\nisolation = "shared"'
    write_plugin(lair, "shared-leak", hostile("leak"), f"{shared}\n[limits]\nmax_memory_mb = 10")
    for isolation in ("call", "session", "shared"):
        write_plugin(lair, f"{isolation}-counter", hostile("counter"), f'[runtime]\nisolation = "{isolation}"')
    write_plugin(lair, "long-request", hostile("long-request"), LOGS)
    write_plugin(lair, "log-flood", hostile("log-flood"), LOGS)
    write_plugin(lair, "storm", module(f'{ECHO} (func (export "run") (result i32) unreachable)'))
    return lair


async def fails(den: Den, tool: str, code: str, says: str = "") -> Json:
    result = await den.call(tool)
    assert error_code(result) == code, text_of(result)
    assert says in text_of(result)
    return result


@requirement("hostile:typed-error")
@pytest.mark.parametrize("plugin", ENDS)
async def test_a_hostile_call_gets_its_typed_error_and_the_neighbour_loses_nothing(den: Den, plugin: str) -> None:
    _, _, code, says = ENDS[plugin]
    with anyio.fail_after(40):
        await fails(den, f"{plugin}__run", code, says)


@requirement("hostile:deadline")
@pytest.mark.parametrize("plugin", ["plenty", "slow-spin", "initialize-spin"])
async def test_twenty_looping_calls_at_once_all_end_at_their_deadline(den: Den, plugin: str) -> None:
    with anyio.fail_after(40):
        numbers = [await den.start_call(f"{plugin}__run") for _ in range(20)]
        results = [(await den.finish(number))["result"] for number in numbers]
    assert {error_code(result) for result in results} == {"limit_execution_time"}


@requirement("hostile:refused-unread")
@pytest.mark.parametrize("plugin", REFUSED)
async def test_a_module_that_would_kill_or_cheat_an_engine_is_held_back_before_one_sees_it(
    den: Den, plugin: str
) -> None:
    answer = await den.finish(await den.start_call(f"{plugin}__run"))
    assert answer["error"]["code"] == -32602
    assert f"{plugin}__run" not in await listed(den)


async def listed(den: Den) -> list[str]:
    answer = await den.finish(await den.start("tools/list", {}))
    return [tool["name"] for tool in answer["result"]["tools"]]


@requirement("hostile:deadline")
async def test_a_compile_bomb_is_stopped_at_the_load_deadline(den: Den) -> None:
    with anyio.fail_after(40):
        await fails(den, "bomb__run", "limit_load_time", "max_load_time_ms = 300 ms")
    assert "many-functions__run" not in await listed(den)  # over the limit of functions: refused unread


@requirement("hostile:deadline")
async def test_a_stop_function_that_loops_costs_time_and_not_the_answer(den: Den) -> None:
    with anyio.fail_after(40):
        result = await den.call("stop-spin__run")
    assert (result["isError"], result["content"]) == (False, [])


@requirement("hostile:memory-bound")
async def test_a_table_bomb_ends_within_the_data_limit_of_its_worker(den: Den) -> None:  # X7
    with anyio.fail_after(40):
        result = await den.call("table-bomb__run")
    assert error_code(result) in {"plugin_trapped", "limit_memory", "plugin_crashed", "limit_execution_time"}


@requirement("hostile:worker-death")
async def test_a_forged_kernel_block_kills_at_most_its_own_worker(den: Den) -> None:  # E5
    for plugin in ("forged-error", "forged-request"):
        result = await den.call(f"{plugin}__run")
        assert error_code(result) in {"plugin_crashed", "plugin_error"}, text_of(result)
    assert (await den.call("forged-output__run"))["content"] == []


@requirement("hostile:host-answers")
async def test_a_host_answer_larger_than_the_guest_can_hold_becomes_a_short_refusal(den: Den) -> None:  # X4, E4
    envelope = (await den.call("echo-config__run"))["structuredContent"]
    assert (envelope["success"], envelope["metadata"]) == (False, {"code": "limit_memory"})


@requirement("hostile:host-answers")
async def test_a_request_of_17_mib_to_a_host_function_is_refused_in_the_worker(den: Den) -> None:
    envelope = (await den.call("long-request__run"))["structuredContent"]
    assert (envelope["success"], envelope["metadata"]) == (False, {"code": "request_too_large"})


@requirement("hostile:output")
async def test_an_output_is_taken_up_to_the_limit_and_its_length_is_read_before_its_bytes(den: Den) -> None:  # T6
    zeros = text_of(await den.call("long-output__run", {"n": MIB}))
    assert zeros == ""  # NULs are no text and are stripped; what counts is that a full output was taken
    for size in (MIB + 1, 900 * MIB):  # X15
        result = await den.call("long-output__run", {"n": size})
        assert error_code(result) == "limit_output_bytes"
        assert result["_meta"]["agentmem/error"]["used"] == size


@requirement("hostile:typed-error")
async def test_an_error_text_with_a_nul_in_it_is_still_an_error(den: Den) -> None:
    await fails(den, "odd-errors__nul", "plugin_error", "one")


@requirement("hostile:no-state")
async def test_memory_leaked_by_one_call_is_not_missing_in_the_next(den: Den) -> None:  # X20, E17
    for _ in range(15):
        assert (await den.call("leak__run"))["isError"] is False


@requirement("hostile:no-state")
async def test_a_kept_instance_that_ran_out_of_memory_is_replaced(den: Den) -> None:  # X20 in a pooled instance
    results = [await den.call("shared-leak__run") for _ in range(10)]
    assert [error_code(result) for result in results if result["isError"]] == ["limit_memory"]
    assert (await den.call("shared-leak__run"))["isError"] is False


@requirement("hostile:no-state")
async def test_globals_and_memory_start_anew_in_each_call(den: Den) -> None:  # T17, E24
    assert [text_of(await den.call("call-counter__run")) for _ in range(5)] == ["1"] * 5


@requirement("isolation:kept")
@pytest.mark.parametrize("isolation", ["session", "shared"])
async def test_an_instance_is_kept_only_where_the_manifest_says_so(den: Den, isolation: str) -> None:
    assert [text_of(await den.call(f"{isolation}-counter__run")) for _ in range(5)] == ["1", "2", "3", "4", "5"]


@requirement("hostile:host-answers")
async def test_the_thousand_and_first_host_call_is_refused_with_an_envelope(den: Den) -> None:  # T9
    envelope = (await den.call("flood__until_refused"))["structuredContent"]
    assert envelope["metadata"] == {"code": "limit_host_calls", "limit": "host_calls", "allowed": 1_000, "used": 1_001}


@requirement("hostile:host-answers")
async def test_a_flood_of_log_lines_is_cut_off_and_told(den: Den) -> None:  # T10
    envelope = (await den.call("log-flood__run"))["structuredContent"]
    assert envelope["metadata"] == {"code": "limit_log_lines", "limit": "log_lines", "allowed": 200, "used": 201}


@requirement("hostile:typed-error")
async def test_a_hundred_stack_overflows_are_a_hundred_traps(den: Den) -> None:
    for _ in range(100):
        await fails(den, "recurse__run", "plugin_trapped", "call stack exhausted")


@requirement("hostile:typed-error")
async def test_a_storm_of_traps_loses_no_answer_and_mixes_none(den: Den) -> None:
    with anyio.fail_after(20):
        numbers = [await den.start_call("storm__run" if n % 3 else "storm__echo", {"n": n}) for n in range(100)]
        for n, number in enumerate(numbers):
            result = (await den.finish(number))["result"]
            if n % 3:
                assert error_code(result) == "plugin_trapped"
            else:
                assert result["structuredContent"] == {"n": n}

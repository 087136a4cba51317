"""Each row of the limit table: what is exactly at the limit passes, and one past it gets ``limit_<name>``.

Driven through the MCP server with real modules. A row that stands in none of the tables below fails the last test.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.lowlevel
import pytest
from anyio import wait_all_tasks_blocked
from mcp_types import CallToolResult

from mcp_server.errors import AgentMemError, Busy, LimitExceeded
from mcp_server.policy.limits import LIMITS, Limits, exceeded, resolve_limits
from mcp_server.tools.invoke import Caller
from tests.limits.conftest import ASKED, KEYS, Stage, plugin_id
from tests.requirements import requirement

Json = dict[str, Any]
SPECS = {spec.name: spec for spec in LIMITS}

# limit: function, the arguments that are at it, those that are past it, what is then told as used
CALLED: dict[str, tuple[str, Json, Json, int]] = {
    "input_bytes": ("echo", {"text": "x" * 89}, {"text": "x" * 90}, 101),
    "output_bytes": ("output_n_bytes", {"n": 1_000}, {"n": 1_001}, 1_001),
    "json_depth": ("nest_n_arrays", {"n": 8}, {"n": 9}, 9),
}
# limit: function that puts so many requests, or so long ones, to the host; the refusal is an envelope for the guest
ANSWERED: dict[str, str] = {
    "host_calls": "ask_n_times",
    "llm_calls": "ask_n_times",
    "log_lines": "log_n_lines",
    "log_bytes": "log_n_bytes",
}
# limit: function that uses as much as its input says, and between which inputs the limit lies
MEASURED: dict[str, tuple[str, int, int]] = {
    "instructions": ("loop_n_times", 1, 1_000_000),
    "memory": ("grow_n_pages", 1, 64),
}
# limit: what the message says of the use; the module is refused before anything runs
DECLARED: dict[str, str] = {
    "module_bytes": "used 1.0 MiB",
    "functions": "used 11 functions",
    "table_elements": "used 101 elements",
}
# limit: a tool that ends within it, one that does not
TIMED: dict[str, tuple[str, str]] = {
    "execution_time": ("execution-time__echo", "execution-time__wait"),
    "load_time": ("load-time__echo", "slow-start__run"),
}
ALONE = {"concurrency", "queue", "recursion"}


def code_of(result: CallToolResult) -> str:
    return result.meta["agentmem/error"]["code"] if result.is_error and result.meta else "ok"


async def call(stage: Stage, plugin: str, function: str, arguments: Json) -> CallToolResult:
    return await stage.client.call_tool(f"{plugin}__{function}", arguments)


@requirement("limits:pair")
@pytest.mark.parametrize("limit", CALLED)
async def test_a_call_at_the_limit_is_answered_and_one_past_it_is_refused(stage: Stage, limit: str) -> None:
    function, at, past, used = CALLED[limit]
    plugin = plugin_id(limit)
    with anyio.fail_after(20):
        assert code_of(await call(stage, plugin, function, at)) == "ok"
        refused = await call(stage, plugin, function, past)
    assert code_of(refused) == f"limit_{limit}"
    assert refused.meta is not None
    facts = refused.meta["agentmem/error"]
    assert (facts["limit"], facts["allowed"], facts["used"]) == (limit, ASKED[limit], used)


@requirement("limits:pair")
@pytest.mark.parametrize("limit", ANSWERED)
async def test_host_calls_up_to_the_limit_are_done_and_the_next_one_is_refused(stage: Stage, limit: str) -> None:
    plugin, most = plugin_id(limit), ASKED[limit]
    for n in (most, most + 1):
        result = await call(stage, plugin, ANSWERED[limit], {"n": n})
        envelope: Json = result.structured_content or {}
        assert envelope["success"] is (n == most)
    assert envelope["metadata"] == {"code": f"limit_{limit}", "limit": limit, "allowed": most, "used": most + 1}


@requirement("limits:pair")
@pytest.mark.parametrize("limit", MEASURED)
async def test_there_is_one_most_that_a_call_may_use_and_one_more_is_refused(stage: Stage, limit: str) -> None:
    function, fits, too_much = MEASURED[limit]
    plugin = plugin_id(limit)
    while too_much - fits > 1:
        middle = (fits + too_much) // 2
        if code_of(await call(stage, plugin, function, {"n": middle})) == "ok":
            fits = middle
        else:
            too_much = middle
    for _ in range(3):  # the border is where it was
        assert code_of(await call(stage, plugin, function, {"n": fits})) == "ok"
        assert code_of(await call(stage, plugin, function, {"n": too_much})) == f"limit_{limit}"


@requirement("limits:pair")
@pytest.mark.parametrize("limit", [*DECLARED, "memory"])
async def test_a_module_at_the_limit_is_served_and_one_past_it_is_held_back(stage: Stage, limit: str) -> None:
    name = "first-memory" if limit == "memory" else plugin_id(limit)
    assert code_of(await call(stage, f"{name}-at", "run", {})) == "ok"
    record = next(record for record in stage.host.list_plugins() if record.id == f"{name}-past")
    assert isinstance(record.error, LimitExceeded)
    assert record.error.error_code == f"limit_{limit}"
    assert DECLARED.get(limit, "used 1.1 MiB") in record.error.message
    assert f"{name}-past__run" not in stage.host.catalog.tools


@requirement("limits:pair")
@pytest.mark.parametrize("limit", TIMED)
async def test_what_ends_within_its_time_is_answered_and_what_does_not_is_stopped(stage: Stage, limit: str) -> None:
    within, past = TIMED[limit]
    with anyio.fail_after(40):
        assert code_of(await stage.client.call_tool(within, {})) == "ok"
        assert code_of(await stage.client.call_tool(past, {})) == f"limit_{limit}"


@requirement("limits:pair")
async def test_calls_up_to_the_concurrency_run_at_once_and_the_next_one_waits(stage: Stage) -> None:
    runner = stage.host.registry.get("concurrency").runner
    assert runner is not None
    async with anyio.create_task_group() as tasks:
        for _ in range(ASKED["concurrency"]):
            tasks.start_soon(partial(stage.host.call, "concurrency", "wait"))
        with anyio.fail_after(40):
            while runner.in_flight < ASKED["concurrency"]:
                await anyio.lowlevel.checkpoint()
        answered = anyio.Event()

        async def one_more() -> None:
            await stage.host.call("concurrency", "echo", {})
            answered.set()

        tasks.start_soon(one_more)
        await wait_all_tasks_blocked()
        assert (runner.in_flight, answered.is_set()) == (ASKED["concurrency"], False)
        tasks.cancel_scope.cancel()


@requirement("limits:pair")
async def test_calls_up_to_the_queue_wait_and_the_next_one_is_told_to_come_later(stage: Stage) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(stage.host.call, "queue", "wait"))
        await wait_all_tasks_blocked()
        tasks.start_soon(partial(stage.host.call, "queue", "echo", {}))
        await wait_all_tasks_blocked()
        with pytest.raises(Busy) as refused:
            await stage.host.call("queue", "echo", {})
        assert "all 1 slots are taken and 1 calls wait already" in refused.value.message
        assert refused.value.data["retry_after_ms"] == 1_000
        tasks.cancel_scope.cancel()


@requirement("limits:pair")
async def test_a_call_nested_up_to_the_recursion_limit_runs_and_one_level_more_does_not(stage: Stage) -> None:
    deepest = ASKED["recursion"]
    await stage.host.call_tool("recursion__echo", {}, Caller(depth=deepest - 1))
    with pytest.raises(LimitExceeded) as refused:
        await stage.host.call_tool("recursion__echo", {}, Caller(depth=deepest))
    assert (refused.value.error_code, refused.value.data["used"]) == ("limit_recursion", deepest + 1)


@requirement("limits:words")
async def test_the_operator_is_told_where_to_raise_a_limit_and_the_model_is_not(stage: Stage) -> None:
    with pytest.raises(AgentMemError) as refused:
        await stage.host.call_tool("input-bytes__echo", {"text": "x" * 90})
    error = refused.value
    assert error.message == (
        "plugin 'input-bytes' reached its limit max_input_bytes = 100 bytes (JSON input of one call, used 101 bytes)"
    )
    assert error.fix == (
        "the author must ask for more: set max_input_bytes = 200 under [limits] in the plugin.toml of 'input-bytes' "
        "(hard value 16777216)"
    )
    shown = (await call(stage, "input-bytes", "echo", {"text": "x" * 90})).model_dump_json()
    assert "plugin.toml" not in shown
    assert "fix" not in shown


@requirement("limits:words")
@pytest.mark.parametrize("limit", SPECS)
def test_the_words_of_every_limit_name_its_key_its_value_and_its_hard_value(limit: str) -> None:
    spec = SPECS[limit]
    error = exceeded(limit, resolve_limits({}, {spec.key: 7}), plugin="some", used=8 * spec.scale)
    assert error.error_code == f"limit_{limit}"
    assert f"{spec.key} = 7 {spec.unit}" in error.message
    assert "used 8" in error.message
    assert spec.what in error.message
    assert f"`agentmem-mcp config set plugins.some.limits.{spec.key}=" in error.fix
    assert f"[plugins.some.limits] {spec.key} = " in error.fix
    assert f"(hard value {spec.hard})" in error.fix


@requirement("limits:owner")
async def test_a_manifest_lowers_limits_and_only_the_operator_raises_them(stage: Stage) -> None:
    defaults, most = Limits(), {spec.name: spec.hard * spec.scale for spec in LIMITS}

    def in_force(plugin: str) -> Limits:
        version = stage.host.registry.get(plugin).version
        assert version is not None
        return version.runnable.limits

    assert in_force("greedy").numbers() == defaults.numbers()  # asks for every hard value, and gets none
    for limit in ASKED:
        assert getattr(in_force(plugin_id(limit)), limit) == ASKED[limit] * SPECS[limit].scale
    lowered = {"execution_time": 60_000, "input_bytes": 50}
    assert in_force("raised").numbers() == {**most, **lowered}


@requirement("limits:owner")
@pytest.mark.parametrize("limit", SPECS)
def test_no_number_of_manifest_and_operator_passes_the_hard_value(limit: str) -> None:
    spec = SPECS[limit]
    beyond = spec.hard + 1
    both = resolve_limits({spec.key: beyond}, {spec.key: beyond})
    assert getattr(both, limit) == spec.hard * spec.scale
    assert getattr(resolve_limits({}, {}), limit) == spec.default * spec.scale
    assert getattr(resolve_limits({spec.key: beyond}, {}), limit) == spec.default * spec.scale
    assert getattr(resolve_limits({spec.key: 1}, {spec.key: spec.hard}), limit) == spec.scale


@requirement("limits:pair")
def test_every_limit_has_its_two_tests() -> None:
    assert {*CALLED, *ANSWERED, *MEASURED, *DECLARED, *TIMED, *ALONE} == set(KEYS)

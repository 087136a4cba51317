"""``call_llm`` within its bounds: aliases, requests, tokens and costs of calls and days, who shares what with whom."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_server.capabilities.base import HostRefusal
from mcp_server.policy.llm import LlmSettings
from tests.capabilities.llm_site import TODAY, Desk, Json, context_of, endless, extractive, openai, settings_for
from tests.capabilities.test_network_site import Answer, Site, site

ROOT = Path(__file__).resolve().parents[2]
RESERVE = len("Say hello.") + 2 * 64 + 100
"""What ``Desk`` asks for may take so many tokens: a byte each, what is put around, and the longest answer."""
PROSE = (
    "Solar panels turn light into power. The roof carries twelve panels. A cat slept on the stairs. "
    "In winter the panels give half the power of summer. The stairs were painted blue."
)


@asynccontextmanager
async def desk(
    folder: Path, answer: Answer = lambda _: openai("ok"), grant: Json | None = None, **more: Any
) -> AsyncGenerator[tuple[Desk, Site]]:
    async with site(answer) as stub:
        opened = Desk(settings_for(stub.port, **more), folder, grant=grant or {})
        try:
            yield opened, stub
        finally:
            await opened.aclose()


async def test_without_a_provider_nothing_is_made_up(tmp_path: Path) -> None:
    ask = Desk(LlmSettings(), tmp_path)
    refusal = await ask.refusal()
    assert refusal.code == "llm_not_configured"
    assert "config" not in refusal.message.replace("configured", "")
    await ask.aclose()


async def test_the_first_granted_alias_is_meant_where_none_is_named(tmp_path: Path) -> None:
    async with desk(tmp_path, grant={"aliases": ["other", "fast"]}) as (ask, _):
        assert (await ask())["model"] == "other"
        assert (await ask(model="fast"))["model"] == "fast"


@pytest.mark.parametrize("alias", ["other", "no-such-alias", "secret-model-7b", "stub"])
async def test_an_alias_that_is_not_granted_is_named_and_nobody_is_asked(tmp_path: Path, alias: str) -> None:
    async with desk(tmp_path) as (ask, stub):
        refusal = await ask.refusal(model=alias)
        assert refusal.code == "llm_alias_denied"
        assert refusal.data == {"capability": "LLMAccess", "bound": "alias", "alias": alias, "granted": ["fast"]}
        assert (stub.seen, ask.spent()) == ([], (0, 0))


async def test_a_grant_without_aliases_grants_none(tmp_path: Path) -> None:
    async with desk(tmp_path, grant={"aliases": []}) as (ask, _):
        refusal = await ask.refusal()
        assert (refusal.code, refusal.data["granted"]) == ("llm_alias_denied", [])


TURN = {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({}, "either"),
        ({"prompt": "a", "messages": [TURN]}, "either"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": "nul\x00"}, "U+0000"),
        ({"prompt": "half \ud800"}, "prompt"),
        ({"prompt": "x" * (1024 * 1024 + 1)}, "1048576 bytes"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "role"),
        ({"messages": [TURN, {"role": "assistant", "content": "x"}]}, "last one"),
        ({"messages": [TURN] * 257}, "messages"),
        ({"messages": [{**TURN, "name": "x"}]}, "name"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
        ({"prompt": "a", "max_tokens": "5"}, "max_tokens"),
        ({"prompt": "a", "temperature": 2.1}, "temperature"),
        ({"prompt": "a", "temperature": True}, "temperature"),
        ({"prompt": "a", "timeout_ms": 0}, "timeout_ms"),
        ({"prompt": "a", "url": "http://example.com"}, "url"),
        ({"prompt": "a", "user_id": "bob"}, "user_id"),
        ({"prompt": "a", "json_schema": {"type": "array"}}, "object"),
        ({"prompt": "a", "json_schema": {"type": "object", "$ref": "http://x/y"}}, "json_schema"),
        ({"prompt": "a", "json_schema": {"type": "object", "properties": 7}}, "json_schema"),
        ({"prompt": "a", "json_schema": {"type": "object", "title": "x" * 70_000}}, "65536"),
    ],
)
async def test_a_bad_request_is_refused_with_its_problem_and_nobody_is_asked(
    tmp_path: Path, request_: Json, told: str
) -> None:
    async with desk(tmp_path) as (ask, stub):
        refusal = await ask.refusal(request_)
        assert refusal.code == "invalid_request"
        assert told in refusal.message
        assert (stub.seen, ask.spent()) == ([], (0, 0))


async def test_a_temperature_above_what_a_dialect_has_is_refused_with_its_bound(tmp_path: Path) -> None:
    async with desk(tmp_path, dialect="anthropic") as (ask, stub):
        refusal = await ask.refusal(temperature=1.5)
        assert (refusal.code, refusal.data) == ("invalid_request", {"allowed": 1.0})
        assert stub.seen == []


# Bounds of one call


async def test_calls_up_to_the_limit_are_answered_and_the_next_one_is_refused(tmp_path: Path) -> None:
    context = context_of(limits={"llm_calls": 8})
    async with desk(tmp_path) as (ask, stub):
        for _ in range(8):
            await ask(context=context)
        refusal = await ask.refusal(context=context)
        assert (refusal.code, refusal.data) == ("limit_llm_calls", {"limit": "llm_calls", "allowed": 8, "used": 9})
        assert len(stub.seen) == 8


async def test_an_answer_may_be_as_long_as_its_alias_allows_and_no_longer(tmp_path: Path) -> None:
    async with desk(tmp_path) as (ask, _):
        await ask(max_tokens=100)
        refusal = await ask.refusal(max_tokens=101)
        assert (refusal.code, refusal.data["bound"], refusal.data["allowed"]) == ("limit_llm_tokens", "answer", 100)


async def test_the_tokens_of_one_call_are_bounded_at_what_it_may_take(tmp_path: Path) -> None:
    async with desk(tmp_path, grant={"max_tokens_per_call": RESERVE}) as (ask, stub):
        context = context_of(ask.grant)
        await ask(context=context)
        refusal = await ask.refusal(context=context)
        assert (refusal.code, refusal.data["bound"], refusal.data["used"]) == ("limit_llm_tokens", "call", 18)
        await ask(context=context, max_tokens=100 - 18)
        assert (await ask.refusal(context=context_of({"max_tokens_per_call": RESERVE - 1}))).code == "limit_llm_tokens"
        assert len(stub.seen) == 2


async def test_the_cost_of_one_call_is_bounded_at_what_it_may_take(tmp_path: Path) -> None:
    most, took = (len("Say hello.") + 2 * 64) * 2 + 100 * 10, 11 * 2 + 7 * 10
    async with desk(tmp_path, grant={"max_cost_per_call": most / 1e6}) as (ask, stub):
        context = context_of(ask.grant)
        await ask(context=context)
        refusal = await ask.refusal(context=context)
        assert (refusal.code, refusal.data["bound"]) == ("limit_llm_cost", "call")
        assert refusal.data["used"] == pytest.approx(took / 1e6)
        assert "config set grants.writer.llm.max_cost_per_call=" in refusal.fix
        await ask(context=context, max_tokens=100 - took // 10 - 1)
        await ask(context=context_of(ask.grant))
        less: Json = {"max_cost_per_call": (most - 1) / 1e6}
        assert (await ask.refusal(context=context_of(less))).code == "limit_llm_cost"
        assert len(stub.seen) == 3


async def test_calls_at_once_are_bounded_for_each_plugin(tmp_path: Path) -> None:
    async with desk(tmp_path, lambda _: endless(), {"calls_at_once": 2}) as (ask, stub):
        async with anyio.create_task_group() as tasks:
            for _ in range(2):
                tasks.start_soon(ask)
            await stub.until(seen=2)
            refusal = await ask.refusal()
            assert (refusal.code, refusal.data["allowed"]) == ("limit_llm_at_once", 2)
            assert (await ask.refusal(context=context_of(plugin="other"), timeout_ms=20)).code == "llm_timeout"
            tasks.cancel_scope.cancel()
        assert (await ask.refusal(timeout_ms=20)).code == "llm_timeout"  # the places came back


# Bounds of a day


async def test_the_day_of_a_plugin_ends_where_the_next_request_might_pass_its_tokens(tmp_path: Path) -> None:
    async with desk(tmp_path, grant={"tokens_per_day": RESERVE + 18}) as (ask, stub):
        await ask()
        await ask(context=context_of(ask.grant, principal="bob"))  # settled at 18 and 18: exactly full for one more
        refusal = await ask.refusal()
        assert refusal.code == "limit_llm_tokens"
        assert refusal.data == {
            "limit": "llm_tokens",
            "bound": "plugin_day",
            "allowed": RESERVE + 18,
            "needed": RESERVE,
            "retry_after": 43_200,
        }
        assert len(stub.seen) == 2
        await ask(context=context_of(ask.grant, plugin="another"))
        ask.now = lambda: TODAY + 43_200
        await ask()


async def test_the_day_of_a_plugin_ends_where_the_next_request_might_pass_its_cost(tmp_path: Path) -> None:
    most = (len("Say hello.") + 2 * 64) * 2 + 100 * 10
    async with desk(tmp_path, grant={"cost_per_day": most / 1e6}) as (ask, _):
        await ask()
        refusal = await ask.refusal()
        assert (refusal.code, refusal.data["bound"]) == ("limit_llm_cost", "plugin_day")
        assert refusal.data["allowed"] == pytest.approx(most / 1e6)
        assert ask.spent() == (18, 11 * 2 + 7 * 10)


@pytest.mark.parametrize(
    ("key", "bound", "stranger"),
    [("principal_tokens_per_day", "principal_day", "bob"), ("tokens_per_day", "server_day", "")],
)
async def test_the_budgets_of_a_caller_and_of_the_server_go_over_all_plugins(
    tmp_path: Path, key: str, bound: str, stranger: str
) -> None:
    more: Json = {key: RESERVE}
    async with desk(tmp_path, **more) as (ask, _):
        await ask()
        for plugin in ("writer", "another"):
            refusal = await ask.refusal(context=context_of(plugin=plugin))
            assert (refusal.code, refusal.data["bound"]) == ("limit_llm_tokens", bound)
        if stranger:
            await ask(context=context_of(principal=stranger))


async def test_twenty_callers_at_once_never_pass_a_budget(tmp_path: Path) -> None:
    grant: Json = {"tokens_per_day": RESERVE * 3 + 17, "calls_at_once": 20}
    async with desk(tmp_path, grant=grant) as (ask, stub):
        codes: list[str] = []

        async def one(principal: str) -> None:
            while True:  # until the day is used up
                try:
                    await ask(context=context_of(grant, principal=principal))
                except HostRefusal as refusal:
                    codes.append(refusal.code)
                    return
                spent = sum(ask.spent(f"user {number}")[0] for number in range(20))
                assert spent <= grant["tokens_per_day"]

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one, f"user {number}")
        assert codes == ["limit_llm_tokens"] * 20
        spent = sum(ask.spent(f"user {number}")[0] for number in range(20))
        assert spent == 18 * len(stub.seen) <= grant["tokens_per_day"]
        assert spent + RESERVE > grant["tokens_per_day"] - RESERVE  # and hardly anything was left over


SPENDER = """
import sys
from pathlib import Path
from mcp_server.backends.errors import BudgetReached
from mcp_server.backends.sqlite import SqliteStore
from mcp_server.backends.values import Budget, Spending
store, done = SqliteStore(Path(sys.argv[1])), 0
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
try:
    while True:
        store.budgets.reserve(sys.argv[2], "writer", 7, Spending(10, 3), [Budget("plugin", tokens=5_000)])
        done += 1
        if done % 2:
            store.budgets.settle(sys.argv[2], "writer", 7, Spending(10, 3), Spending(4, 1))
except BudgetReached:
    print(done)
"""


def test_two_processes_on_one_budget_never_pass_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    command = [sys.executable, "-c", SPENDER, str(path)]
    writers = [
        subprocess.Popen([*command, name], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("ann", "bob")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    done = [int(writer.communicate(timeout=50)[0]) for writer in writers]
    ask = Desk(LlmSettings(), tmp_path)
    spent = [ask.store.budgets.spent(name, "writer", 7).tokens for name in ("ann", "bob")]
    assert spent == [4 * (count - count // 2) + 10 * (count // 2) for count in done]
    assert 5_000 - 10 < sum(spent) <= 5_000
    ask.store.close()


async def test_a_store_that_cannot_count_lets_nothing_be_spent(tmp_path: Path) -> None:
    async with desk(tmp_path) as (ask, stub):
        await ask()
        ask.store.close()
        (tmp_path / "store.db").write_bytes(b"no database" * 1_000)
        refusal = await ask.refusal()
        assert refusal.code.startswith("store_")
        assert len(stub.seen) == 1


# The provider that repeats sentences


async def test_the_extractive_provider_repeats_sentences_and_says_what_it_is(tmp_path: Path) -> None:
    ask = Desk(extractive(), tmp_path, grant={"aliases": ["short"]})
    answer = await ask({"prompt": f"{PROSE} How much power do the panels give in winter?"})
    assert "In winter the panels give half the power of summer." in answer["text"]
    assert "cat" not in answer["text"]
    assert (answer["model"], answer["provider_kind"], answer["finish_reason"]) == ("short", "extractive", "stop")
    assert "cost" not in answer
    again = await ask({"prompt": f"{PROSE} How much power do the panels give in winter?"})
    assert again == answer
    await ask.aclose()


@pytest.mark.parametrize("order", ["", "Summarize the following.\n"])
async def test_a_summary_is_made_of_whole_sentences_in_their_order(tmp_path: Path, order: str) -> None:
    ask = Desk(extractive(), tmp_path, grant={"aliases": ["short"]})
    answer = await ask({"prompt": order + PROSE})
    sentences = [f"{one}." for one in PROSE.removesuffix(".").split(". ")]
    taken = [one for one in sentences if one in answer["text"]]
    assert " ".join(taken) == answer["text"]
    assert len(taken) == 3
    short = await ask({"prompt": order + PROSE, "max_tokens": 7})
    assert len(short["text"].split()) <= 7
    assert short["finish_reason"] == "length"
    await ask.aclose()


async def test_the_extractive_provider_says_what_it_cannot_do(tmp_path: Path) -> None:
    ask = Desk(extractive(), tmp_path, grant={"aliases": ["short"]})
    refusal = await ask.refusal(json_schema={"type": "object"})
    assert (refusal.code, ask.spent()) == ("llm_unsupported", (0, 0))
    assert (await ask({"prompt": "Why?"}))["text"] == ""  # nothing is invented
    await ask.aclose()

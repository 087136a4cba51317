"""What goes to a provider and what is made of its answer, good or bad, over real HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.capabilities.llm_site import (
    HEAD,
    KEY,
    MODEL,
    Desk,
    Json,
    anthropic,
    context_of,
    endless,
    event,
    openai,
    refused,
    settings_for,
)
from tests.capabilities.test_network_site import Answer, Seen, Site, site

ANSWERS = {"openai": openai, "anthropic": anthropic}
SCHEMA: Json = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@asynccontextmanager
async def desk(answer: Answer, folder: Path, dialect: str = "openai", **more: Any) -> AsyncGenerator[tuple[Desk, Site]]:
    async with site(answer) as stub:
        opened = Desk(settings_for(stub.port, dialect, **more), folder)
        try:
            yield opened, stub
        finally:
            await opened.aclose()


def in_turn(*answers: bytes) -> Answer:
    """The first request gets the first answer, and so on; the last one is repeated."""
    left = list(answers)

    def answer(seen: Seen) -> bytes:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


@pytest.mark.parametrize("dialect", ANSWERS)
async def test_a_prompt_is_answered_with_text_usage_and_cost(tmp_path: Path, dialect: str) -> None:
    async with desk(lambda _: ANSWERS[dialect]("Hello, Wörld."), tmp_path, dialect) as (ask, stub):
        answer = await ask()
    assert answer == {
        "text": "Hello, Wörld.",
        "model": "fast",
        "provider_kind": "model",
        "finish_reason": "stop",
        "usage": {"input": 11, "output": 7},
        "cost": pytest.approx((11 * 2 + 7 * 10) / 1_000_000),
    }
    assert ask.settings.aliases["fast"].model == MODEL
    assert [seen.method for seen in stub.seen] == ["POST"]


async def test_the_openai_dialect_asks_as_its_reference_says(tmp_path: Path) -> None:
    messages = [{"role": role, "content": f"{role} speaks"} for role in ("user", "assistant", "user")]
    async with desk(lambda _: openai("ok"), tmp_path) as (ask, stub):
        await ask({"messages": messages, "system": "Be kind.", "max_tokens": 5, "temperature": 1.5})
    (seen,) = stub.seen
    assert (seen.path, seen.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert json.loads(seen.body) == {
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be kind."}, *messages],
        "max_tokens": 5,
        "temperature": 1.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_a_provider_of_reasoning_models_is_told_the_bound_in_its_own_word(tmp_path: Path) -> None:
    own = {"token_limit": "max_completion_tokens"}
    async with desk(lambda _: openai("ok"), tmp_path, provider=own) as (ask, stub):
        await ask()
    body = json.loads(stub.seen[0].body)
    assert (body["max_completion_tokens"], "max_tokens" in body) == (100, False)


async def test_the_anthropic_dialect_asks_as_its_reference_says(tmp_path: Path) -> None:
    async with desk(lambda _: anthropic("ok"), tmp_path, "anthropic") as (ask, stub):
        await ask(system="Be kind.", temperature=0.5)
    (seen,) = stub.seen
    assert (seen.path, seen.headers["x-api-key"]) == ("/v1/messages", KEY)
    assert seen.headers["anthropic-version"] == "2023-06-01"
    assert json.loads(seen.body) == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Say hello."}],
        "system": "Be kind.",
        "max_tokens": 100,
        "temperature": 0.5,
        "stream": True,
    }


async def test_a_provider_without_a_key_is_asked_without_one(tmp_path: Path) -> None:
    async with desk(lambda _: openai("ok"), tmp_path, provider={"key": None}) as (ask, stub):
        await ask()
    assert "authorization" not in stub.seen[0].headers


@pytest.mark.parametrize(
    ("dialect", "told", "shown"),
    [
        ("openai", "length", "length"),
        ("openai", "content_filter", "content_filter"),
        ("openai", "tool_calls", "other"),
        ("anthropic", "max_tokens", "length"),
        ("anthropic", "refusal", "content_filter"),
        ("anthropic", "stop_sequence", "stop"),
        ("anthropic", "pause_turn", "other"),
    ],
)
async def test_why_an_answer_ended_is_told_in_one_set_of_words(
    tmp_path: Path, dialect: str, told: str, shown: str
) -> None:
    async with desk(lambda _: ANSWERS[dialect]("Hm", reason=told), tmp_path, dialect) as (ask, _):
        assert (await ask())["finish_reason"] == shown


async def test_json_is_asked_for_in_each_dialect_and_the_answer_is_checked(tmp_path: Path) -> None:
    async with desk(lambda _: openai('{"n": 1}'), tmp_path) as (ask, stub):
        assert (await ask(json_schema=SCHEMA))["text"] == '{"n": 1}'
    form = json.loads(stub.seen[0].body)["response_format"]
    assert form == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    answer = anthropic('{"n": 1}', kind="input_json_delta", reason="tool_use")
    async with desk(lambda _: answer, tmp_path, "anthropic") as (ask, stub):
        shown = await ask(json_schema=SCHEMA)
    assert (shown["text"], shown["finish_reason"]) == ('{"n": 1}', "stop")
    body = json.loads(stub.seen[0].body)
    assert body["tools"][0]["input_schema"] == SCHEMA
    assert body["tool_choice"] == {"type": "tool", "name": body["tools"][0]["name"]}


async def test_what_a_model_says_before_and_after_its_json_is_no_part_of_the_answer(tmp_path: Path) -> None:
    said = event({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Here it is: "}})
    whole = anthropic('{"n": 1}', kind="input_json_delta", reason="tool_use").replace(HEAD, HEAD + said)
    whole = whole.replace(event({"type": "content_block_stop", "index": 0}, "content_block_stop"), said)
    async with desk(lambda _: whole, tmp_path, "anthropic") as (ask, _):
        assert (await ask(json_schema=SCHEMA))["text"] == '{"n": 1}'


@pytest.mark.parametrize(("text", "problem"), [("sure: {}", "is no JSON"), ('{"n": "1"}', "n: "), ("{}", "n")])
async def test_json_that_was_not_asked_for_is_a_typed_error_and_paid_for(
    tmp_path: Path, text: str, problem: str
) -> None:
    async with desk(lambda _: openai(text), tmp_path) as (ask, _):
        refusal = await ask.refusal(json_schema=SCHEMA)
        assert refusal.code == "llm_schema_mismatch"
        assert problem in refusal.message
        assert ask.spent()[0] == 18


# Trying again


async def test_a_busy_provider_is_asked_again_and_the_answer_comes(tmp_path: Path) -> None:
    busy = refused("429 Too Many Requests", retry_after="0")
    async with desk(in_turn(busy, busy, openai("at last")), tmp_path) as (ask, stub):
        assert (await ask())["text"] == "at last"
        assert len(stub.seen) == 3
        assert ask.spent()[0] == 18  # reserved once, whatever it took


@pytest.mark.parametrize("status", ["500 X", "502 X", "503 X", "529 Overloaded"])
async def test_without_a_word_on_when_it_is_tried_again_after_a_pause(tmp_path: Path, status: str) -> None:
    async with desk(in_turn(refused(status), openai("at last")), tmp_path) as (ask, stub):
        assert (await ask())["text"] == "at last"
        assert len(stub.seen) == 2


async def test_attempts_end_and_the_refusal_says_when_to_come_back(tmp_path: Path) -> None:
    busy = refused("429 Too Many Requests", retry_after="0.01")
    async with desk(lambda _: busy, tmp_path, provider={"attempts": 2}) as (ask, stub):
        refusal = await ask.refusal()
        assert (refusal.code, refusal.data) == ("llm_unavailable", {"reason": "busy", "retry_after": 0.01})
        assert len(stub.seen) == 2
        assert ask.spent() == (0, 0)


async def test_nobody_waits_for_an_attempt_that_would_come_after_the_deadline(tmp_path: Path) -> None:
    busy = refused("503 Later", retry_after="Fri, 01 Jan 2100 00:00:00 GMT")
    async with desk(lambda _: busy, tmp_path) as (ask, stub):
        refusal = await ask.refusal(timeout_ms=5_000)
        assert refusal.code == "llm_unavailable"
        assert float(str(refusal.data["retry_after"])) > 5
        assert len(stub.seen) == 1


async def test_what_has_begun_to_answer_is_not_asked_again(tmp_path: Path) -> None:
    cut = HEAD + event({"choices": [{"delta": {"content": "Hel"}}]})
    async with desk(lambda _: cut, tmp_path) as (ask, stub):
        refusal = await ask.refusal()
        assert (refusal.code, refusal.data) == ("llm_answer_invalid", {"reason": "cut_off"})
        assert len(stub.seen) == 1
        assert ask.spent()[0] > 100  # the reserve: nobody said what it took


# Time


async def test_the_whole_time_is_bounded_and_the_provider_notices(tmp_path: Path) -> None:
    async with desk(lambda _: endless(), tmp_path) as (ask, stub):
        refusal = await ask.refusal(timeout_ms=50)
        assert (refusal.code, refusal.data) == ("llm_timeout", {"timeout_ms": 50})
        await stub.until(lost=1)
        assert ask.spent()[0] > 100


async def test_the_calls_own_deadline_holds_whatever_the_request_says(tmp_path: Path) -> None:
    async with desk(lambda _: endless(), tmp_path) as (ask, _):
        refusal = await ask.refusal(context=context_of(seconds=0.05), timeout_ms=60_000)
        assert refusal.code == "llm_timeout"
        late = await ask.refusal(context=context_of(seconds=-1))
        assert late.code == "llm_timeout"


async def test_a_request_that_nobody_waits_for_any_more_is_hung_up_and_costs_its_reserve(tmp_path: Path) -> None:
    async with desk(lambda _: endless(), tmp_path) as (ask, stub), anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await stub.until(seen=1)
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await stub.until(lost=1)
    assert ask.spent()[0] == len("Say hello.") + 2 * 64 + 100


# Bad answers


async def _flood() -> AsyncIterator[bytes]:
    yield HEAD
    for _ in range(40):
        yield event({"choices": [{"delta": {"content": "x" * 32_768}}]})
    yield event({"choices": [{"delta": {}, "finish_reason": "stop"}]})


LONG_EVENT = HEAD + b"data: " + b"x" * (1_100 * 1_024)
BAD: dict[str, tuple[Answer, str]] = {
    "no HTTP": (lambda _: b"\x00\xffgarbage\r\n\r\n", "llm_answer_invalid"),
    "nothing": (lambda _: b"", "llm_answer_invalid"),
    "a page": (lambda _: refused("200 OK", b"<html>", content_type="text/html"), "llm_answer_invalid"),
    "JSON that was not streamed": (
        lambda _: refused("200 OK", b"{}", content_type="application/json"),
        "llm_answer_invalid",
    ),
    "a compressed stream": (
        lambda _: refused("200 OK", gzip.compress(b"x"), content_type="text/event-stream", content_encoding="gzip"),
        "llm_answer_invalid",
    ),
    "events that are no JSON": (lambda _: HEAD + event("hello"), "llm_answer_invalid"),
    "events of another shape": (lambda _: HEAD + event({"choices": [{"delta": "x"}]}), "llm_answer_invalid"),
    "events that are a list": (lambda _: HEAD + event("[]"), "llm_answer_invalid"),
    "content that is no text": (lambda _: HEAD + event({"choices": [{"delta": {"content": 7}}]}), "llm_answer_invalid"),
    "usage that is no number": (
        lambda _: HEAD + event({"usage": {"prompt_tokens": "a", "completion_tokens": 1}}),
        "llm_answer_invalid",
    ),
    "usage below zero": (
        lambda _: HEAD + event({"usage": {"prompt_tokens": -9, "completion_tokens": 1}}),
        "llm_answer_invalid",
    ),
    "a length that is not kept": (
        lambda _: b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\ndata: {}\n\n",
        "llm_answer_invalid",
    ),
    "an error in the stream": (lambda _: HEAD + event({"error": {"message": KEY}}), "llm_failed"),
    "a long answer": (lambda _: _flood(), "limit_llm_answer"),
    "one long event": (lambda _: LONG_EVENT, "limit_llm_answer"),
    "a refused key": (lambda _: refused("401 No", json.dumps({"error": f"bad key {KEY}"}).encode()), "llm_rejected"),
    "no such model": (lambda _: refused("404 No", f"model {MODEL} not found".encode()), "llm_rejected"),
    "a redirect": (lambda _: refused("302 Found", location="http://127.0.0.1/"), "llm_rejected"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_answer_is_a_typed_error_that_tells_no_secret(
    tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer, code = BAD[case]
    async with desk(answer, tmp_path) as (ask, stub):
        refusal = await ask.refusal()
        shown = f"{refusal.message} {refusal.data}"
        assert refusal.code == code
        assert len(stub.seen) == 1
        for hidden in (KEY, MODEL, "127.0.0.1", str(stub.port), "stub"):
            assert hidden not in shown
    assert KEY not in caplog.text + refusal.fix
    if case == "no such model":
        assert "model secret-model-7b not found" in refusal.fix  # the operator is told what the provider says


@pytest.mark.parametrize("last", [{"type": "error", "error": {"type": "overloaded_error"}}, {"type": 7}, "x"])
async def test_a_bad_event_of_the_anthropic_dialect_is_a_typed_error(tmp_path: Path, last: Json | str) -> None:
    begun = HEAD + event({"type": "message_start", "message": {"usage": {"input_tokens": 1}}})
    async with desk(lambda _: begun + event(last), tmp_path, "anthropic") as (ask, _):
        assert (await ask.refusal()).code in {"llm_failed", "llm_answer_invalid"}
    async with desk(lambda _: begun, tmp_path, "anthropic") as (ask, _):
        assert (await ask.refusal()).data == {"reason": "cut_off"}


async def test_a_provider_that_is_not_there_is_unavailable_and_costs_nothing(tmp_path: Path) -> None:
    async with site(lambda _: b"") as stub:
        port = stub.port
    ask = Desk(settings_for(port), tmp_path)
    refusal = await ask.refusal()
    assert (refusal.code, refusal.data) == ("llm_unavailable", {"reason": "connect"})
    assert str(port) not in refusal.message
    assert ask.spent() == (0, 0)
    await ask.aclose()


async def test_a_key_that_the_provider_repeats_is_taken_out_of_the_answer(tmp_path: Path) -> None:
    async with desk(lambda _: openai(f"Your key is {KEY}, I think."), tmp_path) as (ask, _):
        assert (await ask())["text"] == "Your key is [secret KEY], I think."


@pytest.mark.parametrize("keys", [{}, {"KEY": "two\r\nlines"}, {"KEY": "ключ"}, {"KEY": ""}])
async def test_a_provider_without_its_key_is_not_asked(tmp_path: Path, keys: dict[str, str]) -> None:
    async with site(lambda _: openai("ok")) as stub:
        ask = Desk(settings_for(stub.port), tmp_path, keys=keys)
        refusal = await ask.refusal()
        assert refusal.code == "llm_not_configured"
        assert (stub.seen, ask.spent()) == ([], (0, 0))
        await ask.aclose()


async def test_an_answer_without_usage_says_so_and_costs_its_reserve(tmp_path: Path) -> None:
    async with desk(lambda _: openai("ok", usage=None), tmp_path) as (ask, _):
        answer = await ask()
        assert (answer["usage"], "cost" in answer) == (None, False)
        assert ask.spent()[0] == len("Say hello.") + 2 * 64 + 100

"""``call_llm`` from a real module through the real server, to a provider on loopback."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.capabilities.llm_site import HEAD, KEY, MODEL, anthropic, endless, openai, refused
from tests.capabilities.test_network_site import Answer, Site, site
from tests.conftest import Serve
from tests.flows.test_capabilities_from_wasm import ask, configure, plugin
from tests.requirements import requirement
from tests.stdio_server import META, StdioServer, error_code


class Start(Protocol):
    """Starts the server before a provider."""

    def __call__(self, answer: Answer, **options: str) -> AbstractAsyncContextManager[tuple[StdioServer, Site]]: ...


HELLO = {"prompt": "Say hello."}


def config_for(port: int, dialect: str = "openai", grant: str = "", more: str = "") -> str:
    base = f"http://127.0.0.1:{port}" + ("/v1" if dialect == "openai" else "")
    return f"""
[llm.providers.upstream]
dialect = "{dialect}"
base_url = "{base}"
key = "UPSTREAM"

[llm.aliases.fast]
provider = "upstream"
model = "{MODEL}"
prices = {{ input = 2, output = 10 }}

[llm.aliases.costly]
provider = "upstream"
model = "another-model"
{more}
[grants.writer]
capabilities = ["LLMAccess"]

[grants.writer.llm]
aliases = ["fast"]
{grant}
"""


@pytest.fixture
def start(serve: Serve, plugins: Path, tmp_path: Path) -> Start:
    """The server with the plugin ``writer`` on a provider that gives ``answer``; its log is in ``log``."""

    @asynccontextmanager
    async def run(answer: Answer, **options: str) -> AsyncGenerator[tuple[StdioServer, Site]]:
        plugin(plugins, "writer", "LLMAccess", options.pop("manifest", ""))
        environment = {"AGENTMEM_SECRET_UPSTREAM": KEY, "AGENTMEM_HOME": str(tmp_path / "home")}
        environment["AGENTMEM_LOG__LEVEL"] = "debug"
        (tmp_path / "home").mkdir()
        log = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY)
        async with site(answer) as stub:
            config = configure(tmp_path, config_for(stub.port, **options))
            async with serve(arguments=["--config", str(config)], environment=environment, stderr=log) as server:
                yield server, stub
                await server.close()
        os.close(log)
        for path in (tmp_path / "home").rglob("*"):
            assert not path.is_file() or KEY.encode() not in path.read_bytes()
        assert KEY not in (tmp_path / "log").read_text(encoding="utf-8")

    return run


@requirement("capability:llm")
@pytest.mark.parametrize(("dialect", "answer"), [("openai", openai), ("anthropic", anthropic)])
async def test_a_granted_plugin_asks_a_model_by_its_alias(
    start: Start, dialect: str, answer: Callable[[str], bytes]
) -> None:
    async with start(lambda _: answer("Hello, plugin."), dialect=dialect) as (server, stub):
        told = await ask(server, "writer__call_llm", HELLO | {"model": "fast"})
        assert told["data"] == {
            "text": "Hello, plugin.",
            "model": "fast",
            "provider_kind": "model",
            "finish_reason": "stop",
            "usage": {"input": 11, "output": 7},
            "cost": 9.2e-05,
        }
        assert json.loads(stub.seen[0].body)["model"] == MODEL


@requirement("capability:llm")
async def test_a_busy_provider_is_asked_again_inside_the_call(start: Start) -> None:
    answers = [refused("429 Busy", retry_after="0"), refused("429 Busy", retry_after="0"), openai("at last")]
    async with start(lambda _: answers.pop(0)) as (server, _):
        assert (await ask(server, "writer__call_llm", HELLO))["data"]["text"] == "at last"


@requirement("capability:llm")
async def test_an_alias_that_is_not_granted_is_denied_and_the_provider_hears_nothing(start: Start) -> None:
    async with start(lambda _: openai("x")) as (server, stub):
        for alias in ("costly", MODEL, "unknown"):
            denied = await ask(server, "writer__call_llm", HELLO | {"model": alias})
            assert denied["success"] is False
            assert denied["metadata"]["code"] == "llm_alias_denied"
            assert denied["metadata"]["alias"] == alias
        assert stub.seen == []


@requirement("capability:llm-budget")
async def test_a_budget_that_is_used_up_is_named_also_by_the_next_server(
    start: Start, serve: Serve, tmp_path: Path
) -> None:
    reserve = 10 + 2 * 64 + 1_024
    options = {"grant": f"tokens_per_day = {reserve + 10}"}
    async with start(lambda _: openai("x"), **options) as (server, stub):
        assert (await ask(server, "writer__call_llm", HELLO))["success"] is True
        for _ in range(2):
            refused_ = await ask(server, "writer__call_llm", HELLO)
            assert refused_["metadata"]["code"] == "limit_llm_tokens"
            assert refused_["metadata"]["bound"] == "plugin_day"
        assert len(stub.seen) == 1
    environment = {"AGENTMEM_SECRET_UPSTREAM": KEY, "AGENTMEM_HOME": str(tmp_path / "home")}
    async with serve(arguments=["--config", str(tmp_path / "config.toml")], environment=environment) as server:
        again = await ask(server, "writer__call_llm", HELLO)
        assert again["metadata"]["code"] == "limit_llm_tokens"


@requirement("capability:llm-budget")
async def test_an_answer_may_not_be_longer_than_the_alias_allows(start: Start) -> None:
    async with start(lambda _: openai("x")) as (server, stub):
        refused_ = await ask(server, "writer__call_llm", HELLO | {"max_tokens": 1_025})
        assert (refused_["metadata"]["code"], refused_["metadata"]["bound"]) == ("limit_llm_tokens", "answer")
        assert stub.seen == []


@requirement("capability:llm")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused("401 No", f"bad key {KEY} for {MODEL}".encode()), "llm_rejected"),
        (HEAD + b"data: garbage\n\n", "llm_answer_invalid"),
        (b"", "llm_answer_invalid"),
    ],
    ids=["refused", "garbage", "nothing"],
)
async def test_a_bad_provider_is_a_typed_error_that_tells_neither_key_nor_model_nor_place(
    start: Start, answer: bytes, code: str
) -> None:
    async with start(lambda _: answer) as (server, stub):
        told = await ask(server, "writer__call_llm", HELLO)
        assert (told["success"], told["metadata"]["code"]) == (False, code)
        for hidden in (KEY, MODEL, "127.0.0.1", str(stub.port), "upstream"):
            assert hidden not in json.dumps(told)


@requirement("capability:llm")
async def test_a_key_that_the_provider_repeats_reaches_nobody(start: Start) -> None:
    async with start(lambda _: openai(f"the key is {KEY}")) as (server, _):
        assert (await ask(server, "writer__call_llm", HELLO))["data"]["text"] == "the key is [secret UPSTREAM]"


@requirement("cancel:host-functions")
async def test_a_call_that_its_client_cancels_leaves_the_provider(start: Start) -> None:
    patient = "[plugins.writer.limits]\nmax_execution_time_ms = 60000\n"  # so that no deadline could be what ends it
    async with start(lambda _: endless(), more=patient) as (server, stub):
        params = {"name": "writer__call_llm", "arguments": HELLO, "_meta": META}
        await server.send({"jsonrpc": "2.0", "id": "gone", "method": "tools/call", "params": params})
        await stub.until(seen=1)
        cancelled = {"requestId": "gone", "_meta": META}
        await server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled})
        await stub.until(lost=1)


@requirement("cancel:host-functions")
async def test_a_call_that_runs_out_of_time_leaves_the_provider(start: Start) -> None:
    async with start(lambda _: endless(), manifest="[limits]\nmax_execution_time_ms = 2000") as (server, stub):
        result = await server.call("writer__call_llm", HELLO)
        if result["isError"]:  # who is first, the call's end or the answer about it, is chance
            assert error_code(result) == "limit_execution_time"
        else:
            assert result["structuredContent"]["metadata"]["code"] == "llm_timeout"
        await stub.until(lost=stub.connections)  # on a slow machine there may be none


@requirement("capability:llm")
async def test_where_no_model_is_configured_the_answer_says_so_and_the_operator_is_told_what_to_add(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    plugin(plugins, "writer", "LLMAccess")
    config = configure(tmp_path, '[grants.writer]\ncapabilities = ["LLMAccess"]\nllm = { aliases = ["fast"] }\n')
    with tempfile.TemporaryFile() as log:
        async with serve(arguments=["--config", str(config)], stderr=log.fileno()) as server:
            told = await ask(server, "writer__call_llm", HELLO)
            assert (told["success"], told["metadata"]["code"]) == (False, "llm_not_configured")
            assert told["data"] is None
            await server.close()
        log.seek(0)
        assert "[llm.providers.<name>]" in log.read().decode()


@requirement("capability:llm")
async def test_the_extractive_provider_answers_only_where_it_is_named_and_says_what_it_is(
    serve: Serve, plugins: Path, tmp_path: Path
) -> None:
    plugin(plugins, "writer", "LLMAccess")
    config = configure(
        tmp_path,
        '[llm.providers.own]\ndialect = "extractive"\n[llm.aliases.short]\nprovider = "own"\n'
        '[grants.writer]\ncapabilities = ["LLMAccess"]\nllm = { aliases = ["short"] }\n',
    )
    async with serve(arguments=["--config", str(config)]) as server:
        told = await ask(server, "writer__call_llm", {"prompt": "The roof leaks. Tea is hot. What does the roof do?"})
        assert (told["data"]["text"], told["data"]["provider_kind"]) == ("The roof leaks.", "extractive")


@requirement("capability:not-granted")
async def test_a_plugin_without_the_grant_is_denied(serve: Serve, plugins: Path) -> None:
    plugin(plugins, "wants", "LLMAccess", how="optional")
    async with serve() as server:
        told = await ask(server, "wants__call_llm", HELLO)
        assert (told["metadata"]["code"], told["metadata"]["capability"]) == ("capability_denied", "LLMAccess")

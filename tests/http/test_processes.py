"""``--processes``: several real server processes on one socket, each spoken to alone while the others stand still."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx2
import pytest

from mcp_server.backends.tokens import TOKENS_NAME, TokenFile
from mcp_server.transport.http.common import SLOTS, Common
from mcp_server.transport.http.local_token import local_token
from mcp_server.transport.http.rates import Rates
from mcp_server.transport.tickets import TicketRefused, Tickets
from tests.commands import answer, run
from tests.flows import bodies
from tests.flows.processes import children, gone
from tests.guests import ECHO, answers, module, write_plugin
from tests.http.conftest import make_token
from tests.http_server import HttpServer, http_server, tool_headers
from tests.requirements import requirement
from tests.stdio_server import META, Json, error_code, text_of

TWO = ["--processes", "2"]
LOGS = '[capabilities]\nrequired = ["LoggingAccess"]\n'
FORMS: Json = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}
CALL = {"name": "well__echo", "arguments": {"a": 1}}


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    slow = f"{LOGS}[limits]\nmax_execution_time_ms = 2_000\nmax_instructions = 100_000_000_000"
    write_plugin(folder, "slow", bodies.logs_then_loops(), slow)


@pytest.fixture(scope="module")
async def pair(stage: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    """A server of two processes."""
    async with http_server(stage, home=tmp_path_factory.mktemp("home"), arguments=TWO) as server:
        yield server


@contextmanager
def only(server: HttpServer, which: int) -> Generator[None]:
    """Connections that are opened meanwhile are answered by one process alone."""
    others = [pid for index, pid in enumerate(sorted(children(server.process.pid))) if index != which]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


async def status(server: HttpServer, token: str | None = None) -> int:
    return (await server.modern("tools/list", token=token)).status_code


# --- as one -----------------------------------------------------------------------------------------------------


@requirement("http:processes")
async def test_every_process_answers_and_takes_and_loses_tokens_at_once(pair: HttpServer) -> None:
    made = make_token(pair.home, "common", "tools:list")
    for which in (0, 1):
        with only(pair, which):
            assert [await status(pair), await status(pair, made)] == [200, 200]
    answer(pair.home, "token", "revoke", "common")
    for which in (0, 1):
        with only(pair, which):
            assert [await status(pair), await status(pair, made)] == [200, 401]


@requirement("http:processes")
async def test_the_rate_of_a_principal_is_one_for_all_processes(stage: Path, tmp_path: Path) -> None:
    rate = {"requests_per_second": 0.001, "burst": 6}
    async with http_server(stage, home=tmp_path, arguments=TWO, settings=rate) as server:
        with only(server, 0):
            assert [await status(server) for _ in range(4)] == [200] * 4
        with only(server, 1):
            assert [await status(server) for _ in range(4)] == [200, 200, 429, 429]


@requirement("http:processes")
async def test_a_question_of_one_process_is_answered_at_another_once(stage: Path, tmp_path: Path) -> None:
    config = tmp_path / "ask.toml"
    config.write_text("[grants.well]\nask = true\n", encoding="utf-8")
    params = {**CALL, "_meta": FORMS}
    async with http_server(stage, home=tmp_path, arguments=[*TWO, "--config", str(config)]) as server:
        with only(server, 0):
            asked = (await server.modern("tools/call", params)).json()["result"]
        consent = {"consent": {"action": "accept", "content": {"answer": "once"}}}
        second = {**params, "requestState": asked["requestState"], "inputResponses": consent}
        with only(server, 1):
            assert (await server.modern("tools/call", second)).json()["result"]["structuredContent"] == {"a": 1}
        with only(server, 0):
            assert (await server.modern("tools/call", second)).json()["error"]["code"] == -32602


@requirement("http:processes")
async def test_an_approval_is_taken_over_by_every_process(tmp_path: Path) -> None:
    installed = tmp_path / "data" / "plugins"
    tool = '[[tools]]\nfunction = "run"\ndescription = "Says"\n'
    write_plugin(installed, "mine", answers("one"), tool)
    assert run(tmp_path, "tool", "call", "mine__run").stdout.strip() == "one"
    write_plugin(installed, "mine", answers("two"), tool)
    async with http_server(home=tmp_path, arguments=TWO) as server:
        for which in (0, 1):
            with only(server, which):
                assert text_of(await server.call("mine__run")) == "one"
        assert run(tmp_path, "plugin", "approve", "mine").returncode == 0
        for which in (0, 1):
            with only(server, which), anyio.fail_after(30):
                while text_of(await server.call("mine__run")) != "two":
                    pass


@requirement("http:processes")
async def test_hanging_up_on_the_parent_reloads_every_process(plugins: Path, tmp_path: Path) -> None:
    write_plugin(plugins, "well", answers("one"))
    async with http_server(plugins, home=tmp_path, arguments=TWO) as server:
        assert text_of(await server.call("well__run")) == "one"
        write_plugin(plugins, "well", answers("two"))
        server.process.send_signal(signal.SIGHUP)
        for which in (0, 1):
            with only(server, which), anyio.fail_after(30):
                while text_of(await server.call("well__run")) != "two":
                    pass


@requirement("http:processes")
async def test_a_client_of_a_handshake_era_is_served_without_a_session_by_any_process(pair: HttpServer) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    version = {"mcp-protocol-version": "2025-11-25"}
    with only(pair, 0):
        async with pair.client() as client:
            opened = await client.post("/mcp", json=message("initialize", hello))
            assert (opened.status_code, "mcp-session-id" in opened.headers) == (200, False)
    with only(pair, 1):
        async with pair.client() as client:
            ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            assert (await client.post("/mcp", json=ready, headers=version)).status_code == 202
            called = await client.post("/mcp", json=message("tools/call", CALL), headers=version)
            assert called.json()["result"]["structuredContent"] == {"a": 1}
            refused = [await client.request(verb, "/mcp", headers=version) for verb in ("GET", "DELETE")]
            assert [(one.status_code, one.headers["allow"]) for one in refused] == [(405, "POST")] * 2
            assert (await client.get("/sse")).status_code == 404
    async with pair.connected("http", "legacy") as client:
        assert len((await client.list_tools()).tools) > 0


@requirement("http:processes")
async def test_what_needs_a_session_is_answered_as_the_page_says(stage: Path, tmp_path: Path) -> None:
    config = tmp_path / "ask.toml"
    config.write_text("[grants.slow]\nask = true\n", encoding="utf-8")
    legacy = {"mcp-protocol-version": "2025-11-25", "mcp-session-id": "0" * 32}
    async with http_server(stage, home=tmp_path, arguments=[*TWO, "--config", str(config)]) as server:
        for which in (0, 1):
            with only(server, which):
                client = server.client()
                asked = await client.post("/mcp", json=message("tools/call", {"name": "slow__run"}), headers=legacy)
                (told,) = re.findall(r"data: (\{.*\})", asked.text)
                assert error_code(json.loads(told)["result"]) == "consent_denied"
                called = await client.post("/mcp", json=message("tools/call", CALL), headers=legacy)
                assert called.json()["result"]["structuredContent"] == {"a": 1}
                for verb in ("GET", "DELETE"):
                    refused = await client.request(verb, "/mcp", headers=legacy)
                    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
                posted = await client.post("/messages/?session_id=" + "0" * 32, json=message("ping", {}))
                for missing in (posted, await client.get("/sse")):
                    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
                await client.aclose()


def message(method: str, params: Json) -> Json:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


# --- no mixing --------------------------------------------------------------------------------------------------


@requirement("http:principals")
async def test_a_hundred_interleaved_clients_never_see_each_others_data(pair: HttpServer) -> None:
    file = TokenFile(pair.home / "data" / TOKENS_NAME)
    scopes = ["tools:list", "tools:call", "memory:read", "memory:write"]

    async def one(client: httpx2.AsyncClient, number: int, token: str) -> None:
        canary = f"canary{number:03d}kx"

        async def ask(method: str, params: Json) -> str:
            given = {**params, "_meta": META}
            headers = {**tool_headers(method, given), **pair.headers(token)}
            response = await client.post("/mcp", json=message(method, given), headers=headers)
            assert response.status_code == 200, response.text
            assert set(re.findall(r"canary\d{3}kx", response.text)) == {canary}
            return response.text

        async def call(name: str, arguments: Json) -> str:
            return await ask("tools/call", {"name": name, "arguments": arguments})

        added = json.loads(await call("memory__add", {"content": f"the word is {canary}"}))
        mine = added["result"]["structuredContent"]["memory"]["id"]
        await call("well__echo", {"word": canary})
        await call("memory__list", {})
        await call("memory__search", {"query": "the word is"})
        await ask("resources/read", {"uri": f"memory://{mine}"})

    tokens = [
        file.create(f"client-{number}", f"client-{number}", scopes, created=0, expires=None)[1] for number in range(100)
    ]
    everybody = httpx2.Limits(max_connections=100)
    async with (
        httpx2.AsyncClient(base_url=pair.url, limits=everybody, timeout=50) as client,
        anyio.create_task_group() as tasks,
    ):
        for number, token in enumerate(tokens):
            tasks.start_soon(one, client, number, token)


# --- supervision ------------------------------------------------------------------------------------------------


@requirement("http:supervised")
async def test_a_process_that_dies_is_replaced_while_others_serve(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, arguments=TWO) as server:
        before = set(children(server.process.pid))
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        await gone([killed])
        assert await status(server) == 200
        with anyio.fail_after(30):
            while len(now := set(children(server.process.pid)) - {killed}) < 2:
                await anyio.lowlevel.checkpoint()
        for pid in before & now:
            os.kill(pid, signal.SIGSTOP)
        assert await status(server) == 200  # the new one
        for pid in before & now:
            os.kill(pid, signal.SIGCONT)
        assert await server.end() == 0


@requirement("http:supervised")
async def test_at_sigterm_all_processes_finish_their_calls(stage: Path, tmp_path: Path) -> None:
    info = {"AGENTMEM_LOG__LEVEL": "info"}
    async with http_server(stage, home=tmp_path, arguments=TWO, environment=info) as server:
        pids = children(server.process.pid)
        results: list[Json] = []

        async def call() -> None:
            results.append(await server.call("slow__run"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await until(server, b"running")
            server.process.terminate()
        assert error_code(results[0]) == "limit_execution_time"
        assert await server.process.wait() == 0
        await gone(pids)


@requirement("http:supervised")
async def test_a_second_sigterm_ends_all_at_once(stage: Path, tmp_path: Path) -> None:
    info = {"AGENTMEM_LOG__LEVEL": "info"}
    async with http_server(stage, home=tmp_path, arguments=TWO, environment=info) as server:
        pids = children(server.process.pid)

        async def call() -> None:
            with pytest.raises(httpx2.HTTPError):
                await server.call("slow__run")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await until(server, b"running")
            server.process.terminate()
            await until(server, b"no new requests are taken")
            server.process.terminate()
            assert await server.process.wait() == 128 + signal.SIGTERM
        await gone(pids)


@requirement("http:supervised")
async def test_no_process_outlives_the_parent(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, arguments=TWO) as server:
        pids = children(server.process.pid)
        server.process.kill()
        with anyio.fail_after(30):
            await gone(pids)


@requirement("http:supervised")
def test_what_no_process_can_serve_ends_the_parent_with_the_reason(tmp_path: Path) -> None:
    ended = run(tmp_path, "serve", "--http", "127.0.0.1:0", *TWO, "--plugins", tmp_path / "missing")
    assert ended.returncode == run(tmp_path, "serve", "--plugins", tmp_path / "missing").returncode != 0
    assert "missing" in ended.stderr
    assert "serves MCP" not in ended.stderr
    for wrong in (["serve", *TWO], ["serve", "--http", "127.0.0.1:0", "--stdio", *TWO]):
        assert "--processes" in run(tmp_path, *wrong).stderr
    assert "--inherited" in run(tmp_path, "serve", "--http", "127.0.0.1:0", "--inherited", "900,901,902").stderr


async def until(server: HttpServer, word: bytes) -> None:
    """Return when ``word`` has been logged."""
    with anyio.fail_after(30):
        while word not in await server.stderr.receive_until(b"\n", 65_536):
            pass


# --- the parts --------------------------------------------------------------------------------------------------


@requirement("http:processes")
def test_buckets_in_common_count_what_several_processes_take_at_one_time() -> None:
    common = Common.create()
    program = (
        "import sys, time; from mcp_server.transport.http.common import Common; "
        "from mcp_server.transport.http.rates import Rates; common = Common(int(sys.argv[1])); "
        "rates = Rates(1e-9, 1_000, buckets=common.buckets(0)); print(sum(not rates.take('p') for _ in range(700)))"
    )
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(common.descriptor)],
            pass_fds=[common.descriptor],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert sum(int(taker.communicate()[0]) for taker in takers) == 1_000


@requirement("http:processes")
def test_a_bucket_in_common_fills_as_one_of_a_single_process_does() -> None:
    clock = [100.0]
    for buckets in (None, Common.create().buckets(1)):
        clock[0] = 100.0
        rates = Rates(2.0, 2, lambda: clock[0], buckets)
        assert [rates.take("a"), rates.take("a"), rates.take("a"), rates.take("b")] == [0, 0, 0.5, 0]
        clock[0] += 0.5
        assert [rates.take("a"), rates.take("a")] == [0, 0.5]


@requirement("http:processes")
def test_more_principals_than_there_are_buckets_are_never_refused_for_each_other() -> None:
    rates = Rates(0.001, 1, time.monotonic, Common.create().buckets(0))
    assert not [number for number in range(2 * SLOTS) if rates.take(str(number))]


@requirement("consent:not-forged")
def test_a_ticket_is_good_once_for_its_call_until_it_is_old() -> None:
    common, clock = Common.create(), [0.0]
    here, there = (Tickets(common.key, common.spend, lambda: clock[0]) for _ in range(2))
    ticket, late = here.issue("call"), here.issue("call")
    for wrong in ("", "x", "ä", ticket[:-4], ticket[:20] + "AAAA" + ticket[24:], Tickets().issue("call")):
        with pytest.raises(TicketRefused):
            there.redeem(wrong, "call")
    with pytest.raises(TicketRefused):
        there.redeem(ticket, "another call")
    there.redeem(ticket, "call")
    with pytest.raises(TicketRefused):
        here.redeem(ticket, "call")
    clock[0] = 601.0
    with pytest.raises(TicketRefused):
        here.redeem(late, "call")


@requirement("http:processes")
def test_servers_that_start_at_one_moment_agree_on_the_local_token(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from mcp_server.transport.http.local_token import local_token; "
        "print(local_token(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    starting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert {one.communicate()[0].strip() for one in starting} == {local_token(tmp_path)}

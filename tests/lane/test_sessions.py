"""Calls in sessions of the handshake eras, with the lane and without it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.flows import bodies
from tests.flows.test_results import fill as fill_with_results
from tests.guests import write_plugin
from tests.http.conftest import make_token
from tests.http_server import HttpServer
from tests.lane.conftest import Pair
from tests.lane.test_same_answers import RESULTS
from tests.lane.wire import Sending, exchange
from tests.requirements import requirement
from tests.stdio_server import Json

BARE: dict[str, Json] = {
    "list": {"method": "tools/list"},
    "list-of-nothing": {"method": "tools/list", "params": None},
    "ping": {"method": "ping"},
    "ping-with-params": {"method": "ping", "params": {}},
    "ping-with-meta": {"method": "ping", "params": {"_meta": {"of": "mine"}}},
    "ping-of-something": {"method": "ping", "params": {"what": 1}},
    "ping-of-nothing": {"method": "ping", "params": None},
    "discover": {"method": "server/discover", "params": {}},
    "call": {"method": "tools/call"},
    "call-of-nothing": {"method": "tools/call", "params": None},
}
"""As clients that have nothing to say write them."""
VERSIONS = ["2025-03-26", "2025-06-18", "2025-11-25"]
_RUNNING = re.compile(r"^agentmem_calls_in_flight\{[^}]*\} 1", re.MULTILINE)


def fill(folder: Path) -> None:
    fill_with_results(folder)
    write_plugin(folder, "trap", bodies.also_echo(bodies.TRAP))
    one = "max_concurrency = 1\nmax_queued_calls = 1\nmax_instructions = 100_000_000_000"
    loop = bodies.also_echo(bodies.SLOW_LOOP)
    write_plugin(folder, "endless", loop, f"[limits]\nmax_execution_time_ms = 5_000\n{one}")
    write_plugin(folder, "slow", loop, f"[limits]\nmax_execution_time_ms = 1_000\n{one}")


def frame(tool: str, number: object = 1) -> Json:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool, "arguments": {}}}


def in_session(message: Json, session: str, version: str = "2025-11-25") -> Sending:
    body = httpx2.Request("POST", "http://x", json=message).content
    return Sending(body, {"Mcp-Session-Id": session, "Mcp-Protocol-Version": version})


async def opened(server: HttpServer, version: str = "2025-11-25") -> str:
    async with server.client() as client:
        return await server.initialize(client, version)


async def until_running(server: HttpServer) -> None:
    """Return when a call runs."""
    async with server.client() as client:
        with anyio.fail_after(30):
            while True:
                if _RUNNING.search((await client.get("/metrics")).text):
                    return


@asynccontextmanager
async def calling(server: HttpServer, session: str, tool: str) -> AsyncGenerator[list[httpx2.Response]]:
    """While a call runs; its response is in the list when the block has ended."""
    responses: list[httpx2.Response] = []

    async def call() -> None:
        async with server.client() as client:
            headers = {"mcp-session-id": session}
            responses.append(await client.post("/mcp", json=frame(tool, 7), headers=headers))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await until_running(server)
        yield responses


@requirement("lane:same")
@pytest.mark.parametrize("version", VERSIONS)
async def test_results_and_lists_in_a_session_are_the_same(pair: Pair, version: str) -> None:
    answers: list[object] = []
    names = [name for name in RESULTS if name not in ("fails", "chatty")]
    for server in (pair.lane, pair.sdk):
        session = await opened(server, version)
        listing: Json = {"jsonrpc": "2.0", "id": "l", "method": "tools/list", "params": {}}
        calls = [in_session(frame(f"{name}__run"), session, version) for name in names]
        unknown = in_session(frame("nobody__run"), session, version)
        answers.append(await exchange(server, in_session(listing, session, version), *calls, unknown))
    lane, sdk = answers
    assert lane == sdk


@requirement("lane:same")
@pytest.mark.parametrize("version", VERSIONS)
async def test_requests_without_parameters_are_answered_the_same(pair: Pair, version: str) -> None:
    answers: list[object] = []
    bare = [{"jsonrpc": "2.0", "id": number, **message} for number, message in enumerate(BARE.values())]
    for server in (pair.lane, pair.sdk):
        session = await opened(server, version)
        answers.append(await exchange(server, *(in_session(message, session, version) for message in bare)))
    lane, sdk = answers
    assert lane == sdk


@requirement("lane:sessions")
async def test_a_session_ends_a_call_with_a_notification(pair: Pair) -> None:
    told: list[Json] = []
    for server in (pair.lane, pair.sdk):
        session = await opened(server)
        async with calling(server, session, "endless__run") as responses, server.client() as client:
            left = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
            done = await client.post("/mcp", json=left, headers={"mcp-session-id": session})
            assert done.status_code == 202
        told.append(responses[0].json())
        # The plugin runs one call at a time: the guest has stopped.
        assert (await server.call("endless__echo", {"a": 1}))["structuredContent"] == {"a": 1}
    assert told[0] == told[1]
    assert told[0]["error"]["code"] == -32800


@requirement("lane:sessions")
async def test_the_end_of_a_session_ends_its_calls(pair: Pair) -> None:
    told: list[tuple[int, Json]] = []
    for server in (pair.lane, pair.sdk):
        session = await opened(server)
        async with calling(server, session, "endless__run") as responses, server.client() as client:
            assert (await client.delete("/mcp", headers={"mcp-session-id": session})).status_code == 200
        told.append((responses[0].status_code, responses[0].json()))
        assert (await server.call("endless__echo", {"a": 1}))["structuredContent"] == {"a": 1}
    assert told[0] == told[1]
    assert told[0][0] == 500


@requirement("lane:sessions")
async def test_a_client_of_a_session_that_hangs_up_ends_nothing(pair: Pair) -> None:
    for server in (pair.lane, pair.sdk):
        session = await opened(server)
        async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
            sending = in_session(frame("slow__run"), session)
            await stream.send(sending.written(f"127.0.0.1:{server.port}", server.token))
            await until_running(server)
        async with server.client() as client:
            ended = re.compile(
                r'^agentmem_calls_total\{[^}]*outcome="(\w+)"[^}]*tool="slow__run"[^}]*\} 1', re.MULTILINE
            )
            with anyio.fail_after(30):
                while not (found := ended.search((await client.get("/metrics")).text)):
                    pass
        assert found[1] == "limit_execution_time"


@requirement("lane:same")
async def test_the_session_of_another_principal_is_not_there(pair: Pair) -> None:
    answers: list[object] = []
    for server in (pair.lane, pair.sdk):
        session = await opened(server)
        other = make_token(server.home, "other", "tools:call", "tools:list")
        sending = in_session(frame("object__run"), session)
        theirs = Sending(sending.body, {**sending.headers, "Authorization": f"Bearer {other}"})
        answers.append(await exchange(server, theirs))
    lane, sdk = answers
    assert lane == sdk

"""``--processes``: what the management API does in one process is done in all of them before their next request."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from mcp_server.errors import LifecycleError
from mcp_server.telemetry.calls import CallRecord
from mcp_server.telemetry.events import KEPT, Event
from mcp_server.transport.http.board import CommonBoard
from mcp_server.transport.http.common import Common
from mcp_server.transport.http.news import CommonNews
from tests.admin.conftest import API, ZIP, bundle, make_token
from tests.flows.processes import children, gone
from tests.flows.test_capabilities_from_wasm import relay
from tests.guests import ECHO, answers, module, write_plugin
from tests.http.test_processes import TWO, only
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement
from tests.stdio_server import META, MODERN, Json, text_of


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "store", relay("store_data"), '[capabilities]\noptional = ["StorageAccess"]')


@pytest.fixture(scope="module")
async def pair(stage: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    """A server of two processes; each test leaves its plugins as they were."""
    async with http_server(stage, home=tmp_path_factory.mktemp("home"), arguments=TWO) as server:
        yield server


async def done(server: HttpServer, which: int, method: str, path: str, **body: Any) -> Json:
    """Ask one process's management API; connections are new, so no other answers."""
    with only(server, which):
        async with server.client() as client:
            response = await client.request(method, API + path, **body)
    assert response.status_code in (200, 201, 204), response.text
    return response.json() if response.content else {}


async def state(server: HttpServer, which: int, plugin: str) -> str:
    return (await done(server, which, "GET", f"/plugins/{plugin}"))["state"]


async def called(server: HttpServer, which: int, tool: str, arguments: Json | None = None) -> Json:
    """The answer of one process: a result, or the data of an error."""
    with only(server, which):
        answer = (await server.modern("tools/call", {"name": tool, "arguments": arguments or {}})).json()
    return answer["result"] if "result" in answer else answer["error"]["data"]


@requirement("http:siblings")
async def test_a_plugin_that_is_stopped_or_started_in_one_process_is_so_in_each(pair: HttpServer) -> None:
    for here, there in ((0, 1), (1, 0)):
        await done(pair, here, "POST", "/plugins/well/stop")
        for which in (there, here):
            assert (await called(pair, which, "well__echo"))["code"] == "tool_not_found"
            assert await state(pair, which, "well") == "Stopped"
        await done(pair, there, "POST", "/plugins/well/start")
        for which in (here, there):
            assert (await called(pair, which, "well__echo", {"a": which}))["structuredContent"] == {"a": which}


@requirement("http:siblings")
async def test_a_grant_or_a_configuration_of_one_process_is_in_force_in_each(pair: HttpServer) -> None:
    value = {"key": "a", "value": 1}
    for here, there in ((0, 1), (1, 0)):
        await done(pair, here, "PUT", "/plugins/store/grants", json={"capabilities": ["StorageAccess"]})
        for which in (there, here):
            stored = (await called(pair, which, "store__store_data", value))["structuredContent"]
            assert stored["success"], stored
        await done(pair, there, "PUT", "/plugins/store/grants", json={})
        for which in (here, there):
            refused = (await called(pair, which, "store__store_data", value))["structuredContent"]
            assert refused["metadata"]["code"] == "capability_denied"
        await done(pair, here, "PUT", "/plugins/well/config", json={"of": here})
        assert (await done(pair, there, "GET", "/plugins/well/config"))["config"] == {"of": here}


@requirement("http:siblings")
async def test_a_plugin_that_is_sent_approved_reloaded_and_removed_is_so_in_each(plugins: Path, tmp_path: Path) -> None:
    write_plugin(plugins, "mine", answers("one"))
    async with http_server(plugins, home=tmp_path, arguments=TWO) as server:
        content = {"content": bundle("sent"), "headers": ZIP, "params": {"approve": "false"}}
        await done(server, 0, "POST", "/plugins", **content)
        assert (await done(server, 1, "GET", "/plugins/sent"))["approval"] == "unapproved"
        await done(server, 1, "POST", "/plugins/sent/approve")
        for which in (0, 1):
            assert (await called(server, which, "sent__echo", {"a": 1}))["structuredContent"] == {"a": 1}
        await done(server, 0, "DELETE", "/plugins/sent")
        assert (await called(server, 1, "sent__echo"))["code"] == "tool_not_found"
        write_plugin(plugins, "mine", answers("two"))
        await done(server, 0, "POST", "/plugins/mine/reload")
        for which in (1, 0):
            assert text_of(await called(server, which, "mine__run")) == "two"


@requirement("http:siblings")
async def test_a_process_that_takes_the_place_of_a_dead_one_knows_what_was_stopped(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, arguments=TWO) as server:
        await done(server, 0, "POST", "/plugins/well/stop")
        await done(server, 0, "POST", "/plugins/store/restart")
        before = children(server.process.pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        await gone(before)
        with anyio.fail_after(30):
            while len(set(children(server.process.pid)) - set(before)) < 2:
                await anyio.lowlevel.checkpoint()
        for which in (0, 1):
            assert await state(server, which, "well") == "Stopped"
            assert await state(server, which, "store") in ("Loaded", "Running")


@requirement("http:siblings")
async def test_what_happens_in_any_process_is_told_at_each(pair: HttpServer) -> None:
    pids = sorted(children(pair.process.pid))
    async with pair.client() as client:
        with only(pair, 0):
            stream = await client.send(client.build_request("GET", f"{API}/events"), stream=True)
        events = followed(stream.aiter_lines())
        await done(pair, 1, "POST", "/plugins/well/stop")
        stopped = [await anext(events) for _ in range(2)]
        assert {event["process"] for event in stopped} == set(pids)
        assert {(event["plugin"], event["state"]) for event in stopped} == {("well", "Stopped")}
        await done(pair, 1, "POST", "/plugins/well/start")
        assert [(await anext(events))["state"] for _ in range(2)] == ["Loaded", "Loaded"]
        await called(pair, 1, "well__echo")
        call = await anext(events)
        assert (call["tool"], call["process"]) == ("well__echo", pids[1])
        await stream.aclose()
    with only(pair, 1):
        async with pair.client() as client:
            past = client.build_request("GET", f"{API}/events", headers={"last-event-id": "0"})
            stream = await client.send(past, stream=True)
            again = followed(stream.aiter_lines())
            while await anext(again) != call:
                pass
            await stream.aclose()


async def followed(lines: AsyncIterator[str]) -> AsyncIterator[Json]:
    """The data of the events that are told."""
    async for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@requirement("http:siblings")
async def test_streams_hear_at_one_process_that_tools_changed_by_way_of_another(pair: HttpServer) -> None:
    params = {"notifications": {"toolsListChanged": True}, "_meta": META}
    listen = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
    headers = {"mcp-protocol-version": MODERN, "mcp-method": "subscriptions/listen"}
    async with pair.client() as client:
        with only(pair, 0):
            stream = await client.send(client.build_request("POST", "/mcp", json=listen, headers=headers), stream=True)
            told = followed(stream.aiter_lines())
            assert (await anext(told))["method"] == "notifications/subscriptions/acknowledged"
        await done(pair, 1, "POST", "/plugins/well/stop")
        with anyio.fail_after(30):
            assert (await anext(told))["method"] == "notifications/tools/list_changed"
        await stream.aclose()
        await done(pair, 1, "POST", "/plugins/well/start")


@requirement("http:siblings")
async def test_a_token_without_the_scope_stops_nothing_anywhere(pair: HttpServer) -> None:
    token = make_token(pair.home, "caller", "tools:call")
    async with httpx2.AsyncClient(base_url=pair.url, headers=pair.headers(token)) as client:
        assert (await client.post(f"{API}/plugins/well/stop")).status_code == 403
    for which in (0, 1):
        assert await state(pair, which, "well") in ("Loaded", "Running")


# --- the parts --------------------------------------------------------------------------------------------------


@requirement("http:siblings")
def test_the_board_keeps_the_last_word_on_each_plugin_in_the_order_they_were_said() -> None:
    common = Common.create()
    here, there = CommonBoard(common), CommonBoard(common)
    assert (here.number(), here.since(-1)) == (0, (0, []))
    assert here.put("a", "stop") == (0, 1)
    assert there.put("b", "stop") == (1, 2)
    assert here.put("a", "start") == (2, 3)
    assert there.since(0) == (3, [("b", "stop"), ("a", "start")])
    assert there.since(2) == (3, [("a", "start")])


@requirement("http:siblings")
def test_a_full_board_forgets_what_no_late_process_needs_and_then_refuses() -> None:
    board = CommonBoard(Common.create())
    for number in range(100):
        board.put(f"restarted-{number}".ljust(2_000, "x"), "restart")
    with pytest.raises(LifecycleError, match="so many plugins are stopped"):
        for number in range(100):
            board.put(f"stopped-{number}".ljust(2_000, "x"), "stop")
    _, words = board.since(0)
    assert len(words) > 50
    assert {verb for _, verb in words} == {"stop"}
    assert board.number() == 100 + len(words)


def record(tool: str) -> CallRecord:
    return CallRecord("id", "p", tool, "local", "ok", 1, 1, 1, 0, 0)


@requirement("http:siblings")
async def test_calls_are_told_only_where_somebody_has_listened_lately() -> None:
    clock = [1.0]
    news = CommonNews(Common.create(), lambda: clock[0])
    news.tell("call", record("before"))
    with news.listening(0) as line:
        stream = aiter(line.events)
        news.want()
        news.tell("call", record("heard"))
        assert (await anext(stream)).about["tool"] == "heard"
        clock[0] += 3_600
        news.tell("call", record("after"))
        news.tell("lifecycle", {"plugin": "p"})
        assert (await anext(stream)).kind == "lifecycle"


@requirement("http:siblings")
async def test_a_listener_is_told_how_many_events_it_has_missed() -> None:
    news = CommonNews(Common.create())
    with news.listening() as line:
        for number in range(KEPT + 7):
            news.tell("lifecycle", {"number": number})
        first = await anext(aiter(line.events))
        assert (first.number, first.about["number"], line.lost(), line.lost()) == (8, 7, 7, 0)


@requirement("http:siblings")
@pytest.mark.parametrize("text", ["x" * 10_000, "\U0001f600" * 10_000, "\ud800" * 5_000, '"\\\n' * 5_000])
def test_an_event_of_any_length_fits_into_its_slot(text: str) -> None:
    news = CommonNews(Common.create())
    about = dict.fromkeys(("principal", "plugin", "function", "target", "code"), text)
    for _ in range(KEPT + 2):
        news.tell("denied", about)
    told: list[Event] = news.since(0)
    assert [event.number for event in told] == list(range(3, KEPT + 3))
    assert all(event.about.keys() == {*about, "process"} for event in told)

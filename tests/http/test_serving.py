"""MCP over HTTP and SSE as clients of every era meet it: answers, streams, leaving, changes, and the end."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx2
import mcp_types as types
import pytest
import uvicorn
import uvicorn.server
from anyio.streams.buffered import BufferedByteReceiveStream

from mcp_server.transport.http.address import Address, open_socket
from mcp_server.transport.http.connections import guarded_protocol
from tests.flows import bodies
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server, tool_headers
from tests.requirements import requirement
from tests.stdio_server import META, MODERN, Json, error_code, stdio_server

ROOT = Path(__file__).resolve().parents[2]
LOGS = '[capabilities]\nrequired = ["LoggingAccess"]\n'
INFO = {"AGENTMEM_LOG__LEVEL": "info"}


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "chatty", bodies.log_often(2, json.dumps({"message": "said"})), LOGS)
    one = "max_concurrency = 1\nmax_queued_calls = 1\nmax_instructions = 100_000_000_000"
    endless = bodies.logs_then_loops()
    write_plugin(folder, "endless", endless, f"{LOGS}[limits]\nmax_execution_time_ms = 60_000\n{one}")
    write_plugin(folder, "slow", endless, f"{LOGS}[limits]\nmax_execution_time_ms = 2_000\n{one}")


def call_frame(tool: str, number: int = 1, **params: Any) -> Json:
    named: Json = {"name": tool, "arguments": {}, **params}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": named}


def events(text: str) -> list[Json]:
    """The messages of an event stream."""
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]


async def next_event(lines: AsyncIterator[str]) -> str:
    """The next event's data."""
    with anyio.fail_after(30):
        while not (line := await anext(lines)).startswith("data: "):
            pass
    return line.removeprefix("data: ")


async def until_running(server: HttpServer) -> None:
    """Return when a guest has said that it runs."""
    with anyio.fail_after(30):
        while b"running" not in await server.stderr.receive_until(b"\n", 65_536):
            pass


@asynccontextmanager
async def sse_session(server: HttpServer, client: httpx2.AsyncClient) -> AsyncGenerator[tuple[str, AsyncIterator[str]]]:
    """A session over SSE that has initialized: where to post, and the lines that come."""
    async with client.stream("GET", "/sse") as stream:
        lines = stream.aiter_lines()
        endpoint = await next_event(lines)
        hello = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
        assert (await client.post(endpoint, json=opening)).status_code == 202
        assert json.loads(await next_event(lines))["result"]["protocolVersion"] == "2024-11-05"
        await client.post(endpoint, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield endpoint, lines


# --- eras and answers -------------------------------------------------------------------------------------------


@requirement("http:eras")
@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_session_is_served_in_its_own_revision(web: HttpServer, version: str) -> None:
    async with web.client() as client:
        hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
        opened = await client.post("/mcp", json=opening)
        (result,) = [event["result"] for event in events(opened.text)]
        assert (result["protocolVersion"], result["capabilities"]["tools"]) == (version, {"listChanged": True})
        headers = {"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": version}
        listed = await client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers)
        assert "well__echo" in [tool["name"] for tool in listed.json()["result"]["tools"]]
        assert (await client.delete("/mcp", headers=headers)).status_code == 200
        gone = await client.post("/mcp", json={"jsonrpc": "2.0", "id": 2, "method": "ping"}, headers=headers)
        assert gone.status_code == 404


@requirement("http:eras")
async def test_a_request_of_2026_needs_no_session_and_makes_none(web: HttpServer) -> None:
    listed = await web.modern("tools/list", headers={"mcp-session-id": "whatever", "last-event-id": "3"})
    assert "mcp-session-id" not in listed.headers
    result = listed.json()["result"]
    assert (result["resultType"], result["cacheScope"], result["ttlMs"]) == ("complete", "private", 5_000)
    async with web.client() as client:
        for method in ("GET", "DELETE", "PUT"):
            refused = await client.request(method, "/mcp", json={}, headers={"mcp-protocol-version": MODERN})
            assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@requirement("http:eras")
async def test_a_client_that_comes_back_to_its_session_is_given_a_stream_whatever_it_saw_last(web: HttpServer) -> None:
    async with web.client() as client:
        headers = {"mcp-session-id": await web.initialize(client), "last-event-id": "of-another_1"}
        with anyio.fail_after(20):
            async with client.stream("GET", "/mcp", headers=headers) as stream:
                assert (stream.status_code, stream.headers["content-type"]) == (200, "text/event-stream")


@requirement("http:eras")
async def test_headers_that_contradict_the_body_are_refused(web: HttpServer) -> None:
    for headers in ({"mcp-name": "other__echo"}, {"mcp-method": "tools/list"}):
        response = await web.modern("tools/call", {"name": "well__echo", "arguments": {}}, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (400, -32020)
    unknown = await web.modern("no/such")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, -32601)
    future = await web.modern("tools/list", headers={"mcp-protocol-version": "2031-01-01"})
    assert future.status_code == 400


@requirement("http:json-or-stream")
async def test_an_answer_is_a_stream_only_where_something_comes_before_it(web: HttpServer) -> None:
    logs = {"_meta": {"io.modelcontextprotocol/logLevel": "info"}}
    quiet = await web.modern("tools/call", {"name": "well__echo", "arguments": {}})
    loud = await web.modern("tools/call", {"name": "chatty__run", "arguments": {}, **logs})
    unheard = await web.modern("tools/call", {"name": "chatty__run", "arguments": {}})
    kinds = [response.headers["content-type"] for response in (quiet, loud, unheard)]
    assert kinds == ["application/json", "text/event-stream", "application/json"]
    said = [event["params"]["data"]["message"] for event in events(loud.text) if "method" in event]
    assert said == ["said", "said"]
    async with web.client() as client:
        headers = {"mcp-session-id": await web.initialize(client)}
        plain = await client.post("/mcp", json=call_frame("well__echo"), headers=headers)
        progress = call_frame("well__echo", _meta={"progressToken": 1})
        stream = await client.post("/mcp", json=progress, headers=headers)
        loud = await client.post("/mcp", json=call_frame("chatty__run"), headers=headers)
    assert plain.headers["content-type"] == "application/json"
    assert [stream.headers["content-type"].split(";")[0], len(events(stream.text))] == ["text/event-stream", 1]
    assert [event.get("method") for event in events(loud.text)] == ["notifications/message"] * 2 + [None]


@requirement("http:eras")
async def test_a_client_of_2024_is_served_over_sse(web: HttpServer) -> None:
    async with web.client() as client, sse_session(web, client) as (endpoint, lines):
        await client.post(endpoint, json=call_frame("well__echo", 5, arguments={"a": 1}))
        answer = json.loads(await next_event(lines))
        assert (answer["id"], json.loads(answer["result"]["content"][0]["text"])) == (5, {"a": 1})


@requirement("http:eras")
async def test_sse_can_be_switched_off(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, settings={"sse": False}) as server, server.client() as client:
        assert (await client.get("/sse")).status_code == 404
        assert (await client.post("/messages/?session_id=0", json={})).status_code == 404
        assert (await server.call("well__echo"))["isError"] is False


@requirement("http:principals")
async def test_answers_of_interleaved_clients_are_never_mixed_up(web: HttpServer) -> None:
    async def one(number: int) -> None:
        canary = {"canary": f"{number}-{'x' * number}"}
        if number % 2:
            assert (await web.call("well__echo", canary))["structuredContent"] == canary
            return
        async with web.client() as client:
            headers = {"mcp-session-id": await web.initialize(client)}
            answer = await client.post("/mcp", json=call_frame("well__echo", 1, arguments=canary), headers=headers)
            assert json.loads(answer.json()["result"]["content"][0]["text"]) == canary

    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(one, number)


@requirement("consent:asked")
async def test_users_are_asked_over_http_in_every_era(stage: Path, tmp_path: Path) -> None:
    config = tmp_path / "ask.toml"
    config.write_text("[grants.well]\nask = true\n", encoding="utf-8")
    asked: list[str] = []

    async def allow(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"answer": "once"})

    async with http_server(stage, home=tmp_path, arguments=["--config", str(config)]) as server:
        ways: list[tuple[Literal["http", "sse"], Literal["legacy", "auto"]]]
        ways = [("http", "legacy"), ("http", "auto"), ("sse", "legacy")]
        for transport, mode in ways:
            async with server.connected(transport, mode, elicitation_callback=allow) as client:
                result = await client.call_tool("well__echo", {"via": mode})
            assert json.loads(text_in(result)) == {"via": mode}
        async with server.connected("http", "legacy") as client:
            assert (await client.call_tool("well__echo", {})).is_error
    assert len(asked) == 3


def text_in(result: types.CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, types.TextContent)
    return block.text


# --- leaving ----------------------------------------------------------------------------------------------------


@requirement("http:cancel")
async def test_a_client_that_leaves_ends_its_call_and_the_guest_stops(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, environment=INFO) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.call, "endless__run")
            await until_running(server)
            tasks.cancel_scope.cancel()
        with anyio.fail_after(30):  # the plugin runs one call at a time
            assert (await server.call("endless__echo", {"a": 1}))["structuredContent"] == {"a": 1}
        async with server.client() as client, sse_session(server, client) as (endpoint, _):
            await client.post(endpoint, json=call_frame("endless__run"))
            await until_running(server)
        with anyio.fail_after(30):
            assert (await server.call("endless__echo", {"a": 2}))["structuredContent"] == {"a": 2}


@requirement("http:cancel")
async def test_a_session_cancels_its_call_with_a_notification(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, environment=INFO) as server, server.client() as client:
        headers = {"mcp-session-id": await server.initialize(client)}
        answers: list[Json] = []

        async def call() -> None:
            response = await client.post("/mcp", json=call_frame("endless__run", 7), headers=headers)
            answers.extend(events(response.text))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await until_running(server)
            left = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
            assert (await client.post("/mcp", json=left, headers=headers)).status_code == 202
        assert answers[-1]["error"]["code"] == -32800
        with anyio.fail_after(30):
            assert (await server.call("endless__echo", {"a": 1}))["structuredContent"] == {"a": 1}


# --- changes ----------------------------------------------------------------------------------------------------


@requirement("http:changes")
async def test_clients_of_both_eras_hear_that_tools_changed(plugins: Path, tmp_path: Path) -> None:
    write_plugin(plugins, "well", module(ECHO))
    async with http_server(plugins, home=tmp_path) as server, server.client() as client:
        session = {"mcp-session-id": await server.initialize(client)}
        params = {"notifications": {"toolsListChanged": True}, "_meta": META}
        listen = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
        headers = tool_headers("subscriptions/listen", {})
        async with (
            client.stream("POST", "/mcp", json=listen, headers=headers) as modern,
            client.stream("GET", "/mcp", headers=session) as legacy,
        ):
            new, old = modern.aiter_lines(), legacy.aiter_lines()
            assert json.loads(await next_event(new))["method"] == "notifications/subscriptions/acknowledged"
            write_plugin(plugins, "late", module(ECHO))
            server.process.send_signal(signal.SIGHUP)
            for lines in (new, old):
                assert json.loads(await next_event(lines))["method"] == "notifications/tools/list_changed"


# --- the end ----------------------------------------------------------------------------------------------------


@requirement("http:drain")
async def test_at_sigterm_readiness_goes_first_and_calls_finish(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, environment=INFO) as server, server.client() as client:
        results: list[Json] = []

        async def call() -> None:
            results.append(await server.call("slow__run"))

        async with client.stream("GET", "/sse") as stream, anyio.create_task_group() as tasks:
            assert stream.status_code == 200
            tasks.start_soon(call)
            await until_running(server)
            server.process.terminate()
            with anyio.fail_after(30):
                while (await client.get("/ready")).status_code != 503:
                    pass
            assert (await client.get("/health")).status_code == 200
            assert (await server.modern("tools/list")).status_code == 503
        assert error_code(results[0]) == "limit_execution_time"
        assert await server.process.wait() == 0


@requirement("http:drain")
async def test_a_second_sigterm_ends_at_once(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, environment=INFO) as server, anyio.create_task_group() as tasks:

        async def call() -> None:
            with pytest.raises(httpx2.HTTPError):
                await server.call("endless__run")

        tasks.start_soon(call)
        await until_running(server)
        server.process.terminate()
        with anyio.fail_after(30):
            while b"SIGTERM" not in await server.stderr.receive_until(b"\n", 65_536):
                pass
        server.process.terminate()
        assert await server.process.wait() == 128 + signal.SIGTERM


@requirement("http:both")
async def test_one_process_serves_pipes_and_http_until_the_pipe_ends(stage: Path, tmp_path: Path) -> None:
    words = ["--http", "127.0.0.1:0", "--stdio"]
    async with stdio_server(stage, home=tmp_path, arguments=words, stderr=subprocess.PIPE) as pipes:
        assert pipes.process.stderr is not None
        stderr = BufferedByteReceiveStream(pipes.process.stderr)
        url, token = "", ""
        while not (url and token):
            line = (await stderr.receive_until(b"\n", 65_536)).decode()
            url = url or next(iter(re.findall(r"serves MCP at (http://\S+)/mcp", line)), "")
            token = token or next(iter(re.findall(r"Bearer (\S+?)\"", line)), "")
        web = HttpServer(pipes.process, url, token, tmp_path, stderr)
        added = (await web.call("memory__add", {"content": "told over HTTP"}))["structuredContent"]
        listed = (await pipes.call("memory__list"))["structuredContent"]["memories"]
        assert [memory["id"] for memory in listed] == [added["memory"]["id"]]
        assert await pipes.close() == 0


@requirement("http:own-address")
async def test_no_plugin_reaches_the_server_that_runs_it(tmp_path: Path) -> None:
    config = tmp_path / "open.toml"
    config.write_text(
        '[grants.fetcher]\ncapabilities = ["NetworkAccess"]\n'
        '[grants.fetcher.network]\nallow = ["http://127.0.0.1:*/*"]\nranges = ["127.0.0.0/8"]\n',
        encoding="utf-8",
    )
    words = ["--config", str(config), "--manifests", str(tmp_path / "manifests")]
    manifest = (ROOT / "manifests" / "fetcher" / "plugin.toml").read_text(encoding="utf-8")
    folder = tmp_path / "manifests" / "fetcher"
    shutil.copytree(ROOT / "manifests" / "fetcher", folder)
    widened = re.sub(r"(?m)^allow = .*$", 'allow = ["http://127.0.0.1:*/*"]', manifest)
    (folder / "plugin.toml").write_text(widened, encoding="utf-8")
    async with http_server(ROOT / "plugins", home=tmp_path, arguments=words) as server:
        result = await server.call("fetcher__fetch", {"url": f"{server.url}/health"})
    assert result["isError"] is True
    assert "this server itself" in result["content"][0]["text"]


async def test_no_answer_is_held_back_until_the_client_has_acknowledged_its_head() -> None:
    loop, made = asyncio.get_running_loop(), anyio.Event()
    kind = guarded_protocol(header_seconds=10, write_seconds=10, most=10)
    accepted: list[asyncio.Transport] = []

    class Watched(kind):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            accepted.append(transport)
            made.set()

    async def app(scope: object, receive: object, send: object) -> None: ...

    config = uvicorn.Config(app, log_config=None, lifespan="off")
    config.load()
    listening, address = open_socket(Address("127.0.0.1", 0))
    server = await loop.create_server(lambda: Watched(config, uvicorn.server.ServerState(), {}), sock=listening)
    async with server, await anyio.connect_tcp("127.0.0.1", address.port):
        await made.wait()
        taken = accepted[0].get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        accepted[0].abort()

"""The guards before every route: names, bodies, shares, and clients that are slow."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx2
import pytest
from anyio.abc import SocketStream

from tests.flows import bodies
from tests.guests import ECHO, module, write_plugin
from tests.http.conftest import make_token
from tests.http_server import HttpServer, http_server, tool_headers
from tests.requirements import requirement
from tests.stdio_server import META

PATHS = [("GET", "/health"), ("GET", "/ready"), ("GET", "/sse"), ("POST", "/mcp"), ("POST", "/messages/"), ("GET", "/")]
KIB = 1024


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


def call_body(arguments: object = None) -> bytes:
    params = {"name": "well__echo", "arguments": arguments or {}, "_meta": META}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


def raw(server: HttpServer, lines: str, body: bytes = b"") -> bytes:
    """A POST to ``/mcp`` as bytes, with more header ``lines``."""
    head = (
        f"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nauthorization: Bearer {server.token}\r\n"
        f"content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
    )
    named = "".join(f"{key}: {value}\r\n" for key, value in tool_headers("tools/call", {"name": "well__echo"}).items())
    return f"{head}{named}{lines}\r\n".encode() + body


@asynccontextmanager
async def connection(server: HttpServer) -> AsyncGenerator[SocketStream]:
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        yield stream


async def everything(stream: SocketStream) -> bytes:
    """What the server sends until it closes."""
    received = b""
    try:
        while True:
            received += await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return received


# --- names ------------------------------------------------------------------------------------------------------


@requirement("http:names")
@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_every_route_refuses_hosts_and_origins_that_are_not_its_own(
    web: HttpServer, method: str, path: str
) -> None:
    port = web.port
    hosts = ["evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.evil:{port}", "[::1]"]
    hosts += [f"localhost:{port}@evil", f"localhost:{port}x", f"localhost.:{port}", f"0.0.0.0:{port}"]
    origins = ["null", "https://evil.example", f"http://evil.example:{port}", "http://localhost", "file://"]
    origins += [f"http://localhost:{port}.evil.example", f"ftp://localhost:{port}", f"http://localhost:{port}/"]
    async with web.client() as client:
        for host in hosts:
            assert (await client.request(method, path, headers={"host": host})).status_code == 421, host
        for origin in origins:
            assert (await client.request(method, path, headers={"origin": origin})).status_code == 403, origin


@requirement("http:names")
async def test_a_page_of_the_server_itself_may_ask_and_gets_no_cors(web: HttpServer) -> None:
    async with web.client() as client:
        for name in ("127.0.0.1", "localhost", "LOCALHOST"):
            own = {"host": f"{name}:{web.port}", "origin": f"http://{name}:{web.port}"}
            response = await client.get("/ready", headers=own)
            assert response.status_code == 200
            assert not [key for key in response.headers if key.startswith("access-control")]


@requirement("http:names")
async def test_two_hosts_or_none_are_refused(web: HttpServer) -> None:
    for lines in ("", f"host: 127.0.0.1:{web.port}\r\nhost: evil\r\n"):
        async with connection(web) as stream:
            await stream.send(f"GET /ready HTTP/1.1\r\nauthorization: Bearer {web.token}\r\n{lines}\r\n".encode())
            assert b" 400 " in (await stream.receive()).split(b"\r\n")[0]


@requirement("http:names")
async def test_hosts_and_origins_that_the_operator_names_are_served(stage: Path, tmp_path: Path) -> None:
    named = {"hosts": ["mcp.example.com", "other.example:*"], "origins": ["https://app.example.com"]}
    async with http_server(stage, home=tmp_path, settings=named) as server, server.client() as client:
        for host, status in [("mcp.example.com", 200), ("other.example:99", 200), ("mcp.example.com:99", 421)]:
            assert (await client.get("/ready", headers={"host": host})).status_code == status, host
        page = {"origin": "https://app.example.com"}
        answered = await client.get("/ready", headers=page)
        assert answered.headers["access-control-allow-origin"] == "https://app.example.com"
        asking = {**page, "access-control-request-method": "POST", "authorization": ""}
        preflight = await client.options("/mcp", headers=asking)
        assert preflight.status_code == 204
        assert "authorization" in preflight.headers["access-control-allow-headers"]
        stranger = {**asking, "origin": "https://app.example.com.evil"}
        assert (await client.options("/mcp", headers=stranger)).status_code == 403


# --- heads ------------------------------------------------------------------------------------------------------

HIDDEN = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


@requirement("http:heads")
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without one"])
@pytest.mark.parametrize("length", [4, 10_000], ids=["ends earlier", "ends later"])
async def test_a_body_with_two_ends_is_refused_and_hides_no_second_request(
    web: HttpServer, length: int, *, token: bool
) -> None:
    body = call_body()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = raw(web, f"content-length: {length}\r\ntransfer-encoding: chunked\r\n")
    head = head if token else head.replace(b"authorization", b"x-nothing")
    async with connection(web) as stream:
        await stream.send(head + chunked + HIDDEN)
        with anyio.fail_after(20):
            received = await everything(stream)
    assert received.startswith(b"HTTP/1.1 400")
    assert b"ambiguous_length" in received
    assert received.count(b"HTTP/1.1") == 1


@requirement("http:heads")
@pytest.mark.parametrize("where", ["a header", "many headers", "the path"])
async def test_a_head_that_is_too_long_is_refused_also_when_it_comes_in_one_piece(web: HttpServer, where: str) -> None:
    more = {
        "a header": f"x: {'a' * 33_000}\r\n",
        "many headers": "x: a\r\n" * 17_000,
        "the path": "",
    }[where]
    query = f"?{'a' * 33_000}" if where == "the path" else ""
    head = f"GET /health{query} HTTP/1.1\r\nhost: 127.0.0.1:{web.port}\r\n{more}\r\n"
    async with connection(web) as stream:
        await stream.send(head.encode())
        with anyio.fail_after(20):
            assert (await everything(stream)).startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))


@requirement("http:heads")
async def test_what_strangers_send_writes_nothing_into_the_log(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server:
        for nonsense in (b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"):
            async with connection(server) as stream:
                await stream.send(nonsense)
                assert (await stream.receive()).startswith(b"HTTP/1.1 4")
        assert await server.end() == 0
        said = b""
        with pytest.raises(anyio.EndOfStream):
            while True:
                said += await server.stderr.receive()
    assert b"warning" not in said


# --- bodies -----------------------------------------------------------------------------------------------------


@requirement("http:bodies")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", -32700),
        (b"not json", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\\ud800"}}', -32700),
        (b'{"jsonrpc":"2.0","id":' + b"1" * 10_000 + b',"method":"ping"}', -32700),
        (b"[" * 100_000, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 300 + b"1" + b"}" * 301, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":{"b":1,"b":2}}}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"Method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","PARAMS":{},"params":[]}', -32600),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"id":1,"method":"ping"}', -32600),
    ],
)
async def test_a_body_that_is_no_plain_message_gets_400_and_a_code(web: HttpServer, content: bytes, code: int) -> None:
    for headers in (tool_headers("ping", {}), {}):
        async with web.client() as client:
            sent = {**headers, "content-type": "application/json"}
            response = await client.post("/mcp", content=content, headers=sent)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == code
        assert response.json()["id"] is None


@requirement("http:bodies")
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx"],
)
async def test_a_write_of_another_type_is_refused(web: HttpServer, kind: str) -> None:
    async with web.client() as client:
        for path in ("/mcp", "/messages/?session_id=" + "0" * 32):
            response = await client.post(path, content=call_body(), headers={"content-type": kind})
            assert response.status_code == 415


@requirement("http:bodies")
async def test_a_body_at_the_cap_is_read_and_one_past_it_is_not(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, settings={"max_body_kb": 64}) as server:
        frame = len(call_body({"text": ""}))
        headers = {**tool_headers("tools/call", {"name": "well__echo"}), "content-type": "application/json"}
        async with server.client() as client:
            for size, status in [(64 * KIB, 200), (64 * KIB + 1, 413)]:
                body = call_body({"text": "x" * (size - frame)})
                assert len(body) == size
                assert (await client.post("/mcp", content=body, headers=headers)).status_code == status

                async def pieces(body: bytes = body) -> AsyncGenerator[bytes]:
                    for at in range(0, len(body), 8_000):
                        yield body[at : at + 8_000]

                chunked = await client.post("/mcp", content=pieces(), headers=headers)
                assert chunked.status_code == status


@requirement("http:bodies")
async def test_a_sender_of_far_too_much_can_read_its_413(web: HttpServer) -> None:
    body = b"x" * (10 * KIB * KIB)
    async with web.client() as client:
        response = await client.post("/mcp", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@requirement("http:bodies")
async def test_chunks_without_end_are_cut_off(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, settings={"header_seconds": 4, "max_body_kb": 64}) as server:
        received = b""
        async with connection(server) as stream, anyio.create_task_group() as tasks:

            async def pour() -> None:
                try:
                    await stream.send(raw(server, "transfer-encoding: chunked\r\n"))
                    while True:
                        await stream.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    pass

            tasks.start_soon(pour)
            received = await everything(stream)
            tasks.cancel_scope.cancel()
        assert received.startswith(b"HTTP/1.1 413")


# --- slow clients -----------------------------------------------------------------------------------------------


@requirement("http:slow-clients")
async def test_two_hundred_half_open_connections_are_closed_while_calls_go_on(stage: Path, tmp_path: Path) -> None:
    slow = {"header_seconds": 4, "body_seconds": 4}
    async with http_server(stage, home=tmp_path, settings=slow) as server:
        halves = [b"", b"POST /mcp HT", raw(server, "content-length: 100\r\n", b"{"), b"GET / HTTP/1.1\r\nhost: x\r\n"]
        answers: list[bytes] = []

        async def half_open(start: bytes) -> None:
            async with connection(server) as stream:
                await stream.send(start)
                answers.append(await everything(stream))

        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(half_open, halves[number % len(halves)])
            for number in range(20):
                assert (await server.call("well__echo", {"n": number}))["structuredContent"] == {"n": number}
    assert len(answers) == 200
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in answers)


@requirement("http:slow-clients")
async def test_an_idle_connection_is_closed_after_its_answer(stage: Path, tmp_path: Path) -> None:
    async with (
        http_server(stage, home=tmp_path, settings={"idle_seconds": 0.2}) as server,
        connection(server) as stream,
    ):
        await stream.send(f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert (await everything(stream)).endswith(b'{"status":"ok"}')


@requirement("http:slow-clients")
@pytest.mark.parametrize("before", ["nothing", "a plain call"])
@pytest.mark.parametrize("asking", [{}, {"progressToken": 1}])
async def test_a_connection_is_idle_from_its_last_answer_on(
    stage: Path, tmp_path: Path, before: str, asking: dict[str, int]
) -> None:
    """A call that takes longer than a connection may be idle gets its answer, whichever way it goes; then it closes."""
    loop = "[limits]\nmax_execution_time_ms = 1_500\nmax_instructions = 100_000_000_000"
    write_plugin(tmp_path / "plugins", "slow", module(bodies.SLOW_LOOP), loop)
    plain = call_body()
    async with (
        http_server(stage, tmp_path / "plugins", home=tmp_path, settings={"idle_seconds": 0.3}) as server,
        connection(server) as stream,
    ):
        if before != "nothing":
            await stream.send(raw(server, f"content-length: {len(plain)}\r\n", plain))
            assert b'"isError":false' in await stream.receive()
        params = {"name": "slow__run", "arguments": {}, "_meta": {**META, **asking}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        await stream.send(
            raw(server, f"content-length: {len(body)}\r\n", body).replace(
                b"mcp-name: well__echo", b"mcp-name: slow__run"
            )
        )
        with anyio.fail_after(30):
            assert b"limit_execution_time" in await everything(stream)


@requirement("http:slow-clients")
async def test_a_second_request_that_never_ends_its_headers_is_cut_off(stage: Path, tmp_path: Path) -> None:
    async with (
        http_server(stage, home=tmp_path, settings={"header_seconds": 4}) as server,
        connection(server) as stream,
    ):
        ask = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n\r\n".encode()
        await stream.send(ask + b"GET /health HTTP/1.1\r\n")
        assert (await everything(stream)).endswith(b'{"status":"ok"}')


@requirement("http:slow-clients")
async def test_a_client_that_takes_in_nothing_of_its_answers_is_cut_off(stage: Path, tmp_path: Path) -> None:
    body = call_body({"text": '"' * 400_000})
    async with (
        http_server(stage, home=tmp_path, settings={"body_seconds": 4}) as server,
        connection(server) as stream,
    ):
        with anyio.fail_after(40), pytest.raises(anyio.BrokenResourceError):
            while True:
                await stream.send(raw(server, f"content-length: {len(body)}\r\n", body))


# --- shares -----------------------------------------------------------------------------------------------------


@requirement("http:shares")
async def test_a_principal_beyond_its_rate_waits_and_others_do_not(stage: Path, tmp_path: Path) -> None:
    tokens = [make_token(tmp_path, name) for name in ("one", "two")]
    few = {"requests_per_second": 0.01, "burst": 3}
    async with http_server(stage, home=tmp_path, settings=few) as server:
        statuses = [(await server.modern("tools/list", token=tokens[0])).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = await server.modern("tools/list", token=tokens[0])
        assert 1 <= int(refused.headers["retry-after"]) <= 100
        assert (await server.modern("tools/list", token=tokens[1])).status_code == 200


async def open_request(server: HttpServer, stream: SocketStream, token: str) -> None:
    """Begin a request and return when the server reads its body, of which no more comes."""
    head = raw(server, "content-length: 100\r\nexpect: 100-continue\r\n")
    await stream.send(head.replace(server.token.encode(), token.encode()))
    assert (await stream.receive()).startswith(b"HTTP/1.1 100")


@requirement("http:shares")
async def test_requests_that_are_open_beyond_a_share_or_the_cap_are_turned_away(stage: Path, tmp_path: Path) -> None:
    ann, bob = (make_token(tmp_path, name) for name in ("ann", "bob"))
    few = {"max_requests_per_principal": 2, "max_requests": 3}
    async with http_server(stage, home=tmp_path, settings=few) as server:

        async def status(token: str) -> int:
            response = await server.modern("tools/list", token=token)
            assert response.status_code == 200 or int(response.headers["retry-after"]) >= 1
            return response.status_code

        async with connection(server) as first, connection(server) as second, connection(server) as third:
            for stream, token in ((first, ann), (second, ann)):
                await open_request(server, stream, token)
            assert [await status(token) for token in (ann, bob)] == [429, 200]
            await open_request(server, third, bob)
            assert [await status(token) for token in (bob, server.token)] == [429, 429]
            async with server.client("") as client:
                assert (await client.get("/health")).status_code == 200
        with anyio.fail_after(20):  # their clients left
            while [await status(token) for token in (ann, bob)] != [200, 200]:
                await anyio.lowlevel.checkpoint()


@requirement("http:shares")
async def test_connections_beyond_the_cap_are_turned_away(stage: Path, tmp_path: Path) -> None:
    async with (
        http_server(stage, home=tmp_path, settings={"max_connections": 2}) as server,
        connection(server) as first,
        connection(server) as second,
        connection(server) as third,
    ):
        assert (await everything(third)).startswith(b"HTTP/1.1 429")
        ask = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n\r\n".encode()
        for stream in (first, second):
            await stream.send(ask)
            assert (await stream.receive()).startswith(b"HTTP/1.1 200")


@requirement("http:shares")
async def test_streams_beyond_a_principals_share_are_turned_away(stage: Path, tmp_path: Path) -> None:
    async with (
        http_server(stage, home=tmp_path, settings={"max_streams_per_principal": 1}) as server,
        server.client() as client,
        client.stream("GET", "/sse") as stream,
    ):
        assert stream.status_code == 200
        assert (await client.get("/sse")).status_code == 429
        listening = {"notifications": {"toolsListChanged": True}}
        assert (await server.modern("subscriptions/listen", listening)).status_code == 429
        assert (await server.call("well__echo", {}))["isError"] is False


@requirement("http:shares")
async def test_sessions_beyond_a_principals_share_are_turned_away(stage: Path, tmp_path: Path) -> None:
    tokens = [make_token(tmp_path, name) for name in ("one", "two")]
    async with (
        http_server(stage, home=tmp_path, settings={"max_sessions_per_principal": 2}) as server,
        server.client(tokens[0]) as client,
        server.client(tokens[1]) as other,
    ):
        sessions = [await server.initialize(client) for _ in range(2)]
        with pytest.raises(AssertionError, match="Too many open sessions"):
            await server.initialize(client)
        await server.initialize(other)
        await client.delete("/mcp", headers={"mcp-session-id": sessions[0]})
        await server.initialize(client)


@requirement("http:shares")
async def test_an_address_that_tries_bad_tokens_is_slowed_and_good_ones_pass(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, httpx2.AsyncClient(base_url=server.url) as client:
        statuses = [(await client.get("/ready")).status_code for _ in range(120)]
        assert statuses[:50] == [401] * 50
        assert 429 in statuses
        assert (await server.modern("tools/list")).status_code == 200

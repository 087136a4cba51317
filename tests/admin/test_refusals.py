"""What every route of the management API refuses, and in which shape."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import httpx2
import pytest

from mcp_server.admin.api import management_api
from mcp_server.admin.desk import Desk
from tests.admin.conftest import API, ZIP, bundle, make_token
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement

PATHS: dict[str, Any] = management_api(cast("Desk", SimpleNamespace())).openapi()["paths"]
ROUTES = sorted(
    (method.upper(), path) for path, item in PATHS.items() for method in item if "servers" not in item[method]
)
OPEN = {"/info", "/openapi.json", "/docs"}
"""Routes that every token may read: they tell of the server and of the token, and nothing of anybody."""


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


def scope_of(method: str, path: str) -> str:
    """The scope that the issue gives the route."""
    if path.startswith("/memories"):
        return "memory:read" if method == "GET" or path.endswith("/search") else "memory:write"
    if path == "/tools":
        return "tools:list"
    return "plugin:well:call" if "/call/" in path else "admin:plugins"


def place(path: str) -> str:
    return API + path.replace("{plugin}", "well").replace("{function}", "echo").replace("{memory}", "m")


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")
    assert body["title"] and body["detail"]
    return body


@requirement("api:scopes")
@requirement("http:token-everywhere")
@pytest.mark.parametrize("token", ["", "agentmem_x_y"])
async def test_no_route_answers_without_a_token_that_is_good(stage: Path, tmp_path: Path, token: str) -> None:
    async with http_server(stage, home=tmp_path) as server, server.client(token) as client:
        for method, path in ROUTES:
            problem(await client.request(method, place(path)), 401, "unauthorized")


@requirement("api:scopes")
def test_the_document_names_the_scope_of_each_route() -> None:
    for method, path in ROUTES:
        named = PATHS[path][method.lower()]["security"][0]["bearer"]
        assert named == ([] if path in OPEN else [scope_of(method, path).replace("well", "<id>")]), (method, path)


@requirement("api:scopes")
async def test_a_token_without_the_scope_gets_403_with_its_name_on_every_route(web: HttpServer) -> None:
    words = ("tools:list", "plugin:else:call", "memory:read", "memory:write", "admin:plugins")
    everything = {
        scope: make_token(web.home, f"all-but-{number}", *(set(words) - {scope})) for number, scope in enumerate(words)
    }
    everything["plugin:well:call"] = make_token(web.home, "no-call", *words)
    for method, path in ROUTES:
        if path in OPEN:
            continue
        scope = scope_of(method, path)
        async with web.client(everything[scope]) as client:
            for body in ({"content": b"{}", "headers": {"content-type": "application/json"}}, {}):
                refused = await client.request(method, place(path), **cast("Any", body))
                if refused.status_code == 422 or (refused.status_code == 400 and not body):
                    continue  # a body that cannot be read is told before whose it is
                problem(refused, 403, "insufficient_scope")
                assert f'scope="{scope}"' in refused.headers["www-authenticate"], (method, path)


@requirement("api:scopes")
async def test_a_token_for_tools_of_one_plugin_calls_those_and_sees_those(web: HttpServer) -> None:
    token = make_token(web.home, "one", "tools:list", "plugin:well:call")
    async with web.client(token) as client:
        assert (await client.post(f"{API}/plugins/well/call/echo", json={})).status_code == 200
        tools = (await client.get(f"{API}/tools")).json()["tools"]
        assert [tool["name"] for tool in tools] == ["well__echo"]
        problem(await client.post(f"{API}/plugins/memory/call/add", json={}), 404, "plugin_not_found")


@requirement("api:memories")
async def test_no_principal_sees_anothers_memories(web: HttpServer) -> None:
    one, two = (make_token(web.home, name, "memory:read", "memory:write") for name in ("ann", "bob"))
    async with web.client(one) as ann, web.client(two) as bob:
        added = (await ann.post(f"{API}/memories", json={"content": "a secret of ann"})).json()["memory"]
        assert added["user_id"] == "ann"
        problem(await bob.get(f"{API}/memories/{added['id']}"), 404, "memory_not_found")
        problem(await bob.delete(f"{API}/memories/{added['id']}"), 404, "memory_not_found")
        problem(await bob.patch(f"{API}/memories/{added['id']}", json={"content": "b"}), 404, "memory_not_found")
        assert (await bob.get(f"{API}/memories")).json()["memories"] == []
        assert (await bob.post(f"{API}/memories/search", json={"query": "secret"})).json()["results"] == []


@requirement("api:problems")
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "invalid_arguments"),
        (b"not json", 400, "invalid_body"),
        (b"\xff\xfe", 400, "invalid_body"),
        (b'{"a": NaN}', 400, "invalid_body"),
        (b'{"a": 1, "a": 2}', 400, "invalid_body"),
        (b'{"x": {"a": 1, "a": 2}}', 400, "invalid_body"),
        (b"[" * 100_000, 400, "invalid_body"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, 400, "invalid_body"),
        (b"[]", 422, "invalid_arguments"),
        (b'"text"', 422, "invalid_arguments"),
        (b'{"a": "' + b"x" * 5_000_000 + b'"}', 413, "body_too_large"),
    ],
)
async def test_bodies_that_are_no_plain_json_are_refused_on_every_route_that_takes_one(
    web: HttpServer, content: bytes, status: int, code: str
) -> None:
    taking = [route for route in ROUTES if "requestBody" in PATHS[route[1]][route[0].lower()]]
    assert len(taking) == 8
    async with web.client() as client:
        for method, path in taking:
            if path == "/plugins" and (status == 413 or not content):
                continue  # it has a cap of its own, and reads its body itself
            sent = {"content-type": "application/json"}
            answered = await client.request(method, place(path), content=content, headers=sent)
            problem(answered, status, code)


@requirement("api:problems")
async def test_a_body_without_end_is_cut_off_at_the_cap(web: HttpServer) -> None:
    head = (
        f"PUT {API}/plugins/well/config HTTP/1.1\r\nhost: 127.0.0.1:{web.port}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {web.token}\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with anyio.fail_after(20):
        async with await anyio.connect_tcp("127.0.0.1", web.port) as stream, anyio.create_task_group() as tasks:

            async def pour() -> None:
                with suppress(anyio.BrokenResourceError):
                    await stream.send(head.encode())
                    while True:
                        await stream.send(chunk)

            tasks.start_soon(pour)
            assert b" 413 " in (await stream.receive()).partition(b"\r\n")[0]
            tasks.cancel_scope.cancel()


@requirement("api:problems")
async def test_failures_name_a_fix_to_those_who_may_manage_and_to_nobody_else(web: HttpServer) -> None:
    caller = make_token(web.home, "caller", "tools:call")
    async with web.client() as own, web.client(caller) as other:
        path = f"{API}/plugins/nope/call/echo"
        assert "fix" in problem(await own.post(path, json={}), 404, "plugin_not_found")
        assert "fix" not in problem(await other.post(path, json={}), 404, "plugin_not_found")


@requirement("api:problems")
async def test_paths_and_methods_that_are_not_there_are_problems_too(web: HttpServer) -> None:
    async with web.client() as client:
        for path in ("", "/", "/nope", "/plugins/", "/plugins/well/", "//plugins", "/plugins/..%2f..%2fetc"):
            answered = await client.get(API + path)
            assert answered.status_code == 404, path
            assert re.match(r"application/problem\+json", answered.headers["content-type"])
        problem(await client.put(f"{API}/plugins", json={}), 405, "method_not_allowed")
        for name in ("Well", "a b", "x" * 200, "..", "well%00"):
            refused = await client.put(f"{API}/plugins/{name}/config", json={})
            assert refused.status_code in (404, 405, 422), name


@requirement("api:uploads")
async def test_a_token_without_the_scope_is_refused_before_its_upload_is_read(web: HttpServer) -> None:
    token = make_token(web.home, "reader", "memory:read")
    async with web.client(token) as client:
        problem(await client.post(f"{API}/plugins", content=bundle("sent"), headers=ZIP), 403, "insufficient_scope")
        assert list((web.home / "data").glob("bundles/*")) == []

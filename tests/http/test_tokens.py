"""Who may call: every route, with every kind of token; scopes, expiry and revocation."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest

from tests.commands import answer, run
from tests.guests import ECHO, module, write_plugin
from tests.http.conftest import make_token
from tests.http_server import ACCEPT, HttpServer, http_server, tool_headers
from tests.requirements import requirement
from tests.stdio_server import META, Json, error_code

ROUTES = [
    ("GET", "/mcp"),
    ("POST", "/mcp"),
    ("DELETE", "/mcp"),
    ("GET", "/sse"),
    ("POST", "/messages/?session_id=00000000000000000000000000000000"),
    ("GET", "/ready"),
    ("GET", "/"),
    ("POST", "/health"),
    ("GET", "/mcp/"),
    ("GET", "//mcp"),
    ("POST", "/%6dcp"),
    ("GET", "/nobody/thought/of/this"),
    ("HEAD", "/mcp"),
    ("OPTIONS", "/mcp"),
]
BAD = [
    {},
    {"authorization": "Bearer"},
    {"authorization": "Bearer nobody-gave-this-out"},
    {"authorization": "Bearer agentmem_00000000_" + "a" * 43},
    {"authorization": "Bearer agentmem_local_" + "a" * 43},
    {"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJsb2NhbCJ9."},
    {"authorization": "Basic bG9jYWw6bG9jYWw="},
    {"authorization": "Bearer " + "a" * 20_000},
]


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "other", module(ECHO))


@requirement("http:token-everywhere")
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_route_answers_without_a_token_that_is_known(web: HttpServer, method: str, path: str) -> None:
    async with httpx2.AsyncClient(base_url=web.url, headers={"accept": ACCEPT}) as client:
        for headers in BAD:
            response = await client.request(method, path, headers=headers, content=b"{}" if method == "POST" else None)
            assert response.status_code in (401, 429), headers
        once, twice = ("authorization", f"Bearer {web.token}"), ("authorization", "Bearer other")
        response = await client.request(method, path, headers=[once, twice])
        assert response.status_code in (401, 429)
        response = await client.request(method, f"{path.partition('?')[0]}?access_token={web.token}")
        assert response.status_code in (401, 429)


@requirement("http:challenge")
async def test_a_refusal_says_which_scopes_to_ask_for(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, httpx2.AsyncClient(base_url=server.url) as client:
        bare = await client.get("/mcp")
        bad = await client.get("/mcp", headers={"authorization": "Bearer nonsense"})
    assert bare.headers["www-authenticate"] == 'Bearer realm="agentmem-mcp", scope="tools:list tools:call"'
    assert 'error="invalid_token"' in bad.headers["www-authenticate"]
    assert bare.json()["code"] == "unauthorized"


@requirement("http:token-everywhere")
async def test_health_alone_answers_without_a_token(web: HttpServer) -> None:
    async with httpx2.AsyncClient(base_url=web.url) as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
    async with web.client() as client:
        assert (await client.get("/ready")).json() == {"status": "ready"}
        assert (await client.get("/nothing/here")).status_code == 404


CALLS: list[tuple[str, Json, str]] = [
    ("tools/list", {}, "tools:list"),
    ("tools/call", {"name": "well__echo", "arguments": {}}, "plugin:well:call"),
    ("tools/call", {"name": "memory__list", "arguments": {}}, "memory:read"),
    ("tools/call", {"name": "memory__add", "arguments": {"content": "x"}}, "memory:write"),
    ("tools/call", {"name": "no__such", "arguments": {}}, "tools:call"),
    ("resources/list", {}, "memory:read"),
    ("resources/read", {"uri": "memory://x"}, "memory:read"),
    ("resources/templates/list", {}, "memory:read"),
    ("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, "tools:list"),
    (
        "subscriptions/listen",
        {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["memory://x"]}},
        "tools:list memory:read",
    ),
]


@pytest.fixture(scope="module")
def admin_only(web: HttpServer) -> str:
    """A good token that is for none of what MCP offers."""
    return make_token(web.home, "manager", "admin:plugins")


@requirement("http:scopes")
@pytest.mark.parametrize(("method", "params", "needed"), CALLS)
async def test_a_token_without_the_scopes_is_told_all_that_the_request_needs(
    web: HttpServer, admin_only: str, method: str, params: Json, needed: str
) -> None:
    modern = await web.modern(method, params, token=admin_only)
    assert modern.status_code == 403
    challenge = modern.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{needed}"' in challenge
    async with web.client(admin_only) as client:
        session = await web.initialize(client)
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        legacy = await client.post("/mcp", json=message, headers={"mcp-session-id": session})
    assert (legacy.status_code, legacy.headers["www-authenticate"]) == (403, challenge)


@requirement("http:scopes")
async def test_a_token_for_one_plugin_sees_and_calls_that_one_alone(web: HttpServer) -> None:
    token = make_token(web.home, "narrow", "tools:list", "plugin:well:call")
    listed = (await web.modern("tools/list", token=token)).json()["result"]
    assert [tool["name"] for tool in listed["tools"]] == ["well__echo"]
    assert listed["cacheScope"] == "private"
    assert (await web.call("well__echo", {"a": 1}, token=token))["structuredContent"] == {"a": 1}
    params: Json = {"name": "other__echo", "arguments": {}}
    assert (await web.modern("tools/call", params, token=token)).status_code == 403


@requirement("http:scopes")
async def test_the_local_token_is_good_for_all_tools(web: HttpServer) -> None:
    listed = (await web.modern("tools/list")).json()["result"]["tools"]
    assert {"well__echo", "other__echo", "memory__add"} <= {tool["name"] for tool in listed}


@requirement("http:scopes")
async def test_the_body_decides_what_is_needed_and_no_header_can_hide_it(web: HttpServer) -> None:
    token = make_token(web.home, "hidden", "plugin:well:call")
    params = {"name": "other__echo", "arguments": {}, "_meta": META}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = tool_headers("tools/call", {"name": "well__echo"})
    async with web.client(token) as client:
        assert (await client.post("/mcp", json=message, headers=headers)).status_code == 403


@requirement("http:tokens")
async def test_an_expired_token_is_told_that_it_has_expired(web: HttpServer) -> None:
    token = make_token(web.home, "brief", expires="1h")
    file = web.home / "data" / "tokens.json"
    known = json.loads(file.read_text(encoding="utf-8"))
    assert (await web.modern("tools/list", token=token)).status_code == 200
    for entry in known["tokens"]:
        if entry["name"] == "brief":
            entry["expires"] = entry["created"]
    file.write_text(json.dumps(known), encoding="utf-8")
    refused = await web.modern("tools/list", token=token)
    assert refused.status_code == 401
    assert "the token has expired" in refused.headers["www-authenticate"]


@requirement("http:tokens")
async def test_a_revoked_token_is_refused_from_the_next_request_on(web: HttpServer) -> None:
    token = make_token(web.home, "gone")
    assert (await web.modern("tools/list", token=token)).status_code == 200
    assert run(web.home, "token", "revoke", "gone").returncode == 0
    assert (await web.modern("tools/list", token=token)).status_code == 401


@requirement("http:tokens")
async def test_open_streams_end_with_their_token(stage: Path, tmp_path: Path) -> None:
    token = make_token(tmp_path, "listener")
    params = {"notifications": {"toolsListChanged": True}, "_meta": META}
    listen = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
    headers = tool_headers("subscriptions/listen", {})
    async with http_server(stage, home=tmp_path, settings={"recheck_seconds": 0.2}) as server:
        async with (
            server.client(token) as client,
            client.stream("GET", "/sse") as old,
            client.stream("POST", "/mcp", json=listen, headers=headers) as new,
        ):
            assert (old.status_code, new.status_code) == (200, 200)
            assert (await anyio.to_thread.run_sync(run, tmp_path, "token", "revoke", "listener")).returncode == 0
            for stream in (old, new):
                with anyio.fail_after(30):
                    assert b"event:" in await stream.aread()
        assert (await server.modern("tools/list")).status_code == 200


@requirement("http:tokens")
async def test_no_token_is_kept_on_the_disk_but_the_local_one_and_that_is_private(web: HttpServer) -> None:
    token = make_token(web.home, "secretive")
    for path in web.home.rglob("*"):
        if path.is_file() and "cache" not in path.parts:
            assert token.encode() not in path.read_bytes(), path
    local = web.home / "state" / "http-token"
    assert local.read_text(encoding="utf-8").strip() == web.token
    assert [path.stat().st_mode & 0o777 for path in (local, web.home / "data" / "tokens.json")] == [0o600, 0o600]


@requirement("http:tokens")
async def test_a_damaged_file_of_tokens_lets_in_nobody_but_the_local_user(stage: Path, tmp_path: Path) -> None:
    token = make_token(tmp_path, "one")
    async with http_server(stage, home=tmp_path) as server:
        (tmp_path / "data" / "tokens.json").write_text('{"tokens": [{}]}', encoding="utf-8")
        assert (await server.modern("tools/list", token=token)).status_code == 503
        assert (await server.modern("tools/list")).status_code == 200


@requirement("http:tokens")
def test_the_command_creates_lists_and_revokes(tmp_path: Path) -> None:
    made = answer(tmp_path, "token", "create", "laptop", "--scope", "tools:list", "--expires", "30d")
    assert made["token"].startswith(f"agentmem_{made['id']}_")
    (listed,) = answer(tmp_path, "token", "list")["tokens"]
    assert listed == {key: value for key, value in made.items() if key != "token"}
    assert (listed["principal"], listed["scopes"]) == ("laptop", ["tools:list"])
    assert run(tmp_path, "token", "create", "laptop").returncode == 2
    assert answer(tmp_path, "token", "revoke", made["id"])["revoked"]["name"] == "laptop"
    assert answer(tmp_path, "token", "list") == {"tokens": []}
    assert run(tmp_path, "token", "revoke", "laptop").returncode == 2


@requirement("http:tokens")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--scope", "tools:lst"], "did you mean"),
        (["--scope", "plugin:*:call"], "is no scope"),
        (["--expires", "soon"], "neither a duration nor a time"),
        (["--expires", "2001-01-01"], "in the past"),
    ],
)
def test_what_cannot_be_given_out_is_refused_with_the_reason(tmp_path: Path, words: list[str], told: str) -> None:
    result = run(tmp_path, "token", "create", "x", *words)
    assert result.returncode == 2
    assert told in result.stderr
    assert not (tmp_path / "data" / "tokens.json").exists()


@requirement("http:principals")
async def test_two_principals_never_see_each_others_memories(web: HttpServer) -> None:
    scopes = ["memory:read", "memory:write"]
    tokens = [make_token(web.home, name, *scopes) for name in ("ann", "ben")]
    found: list[str] = []
    for token, secret in zip(tokens, ("ann's canary 7f1", "ben's canary 92c"), strict=True):
        added = await web.call("memory__add", {"content": secret}, token=token)
        found.append(added["structuredContent"]["memory"]["id"])
    for token, own, foreign in [(tokens[0], 0, 1), (tokens[1], 1, 0)]:
        listed = await web.call("memory__list", token=token)
        assert [memory["id"] for memory in listed["structuredContent"]["memories"]] == [found[own]]
        resources = (await web.modern("resources/list", token=token)).json()["result"]["resources"]
        assert [entry["uri"] for entry in resources] == [f"memory://{found[own]}"]
        searched = await web.call("memory__search", {"query": "canary"}, token=token)
        assert [hit["memory"]["id"] for hit in searched["structuredContent"]["results"]] == [found[own]]
        assert error_code(await web.call("memory__get", {"id": found[foreign]}, token=token)) == "memory_not_found"
        read = await web.modern("resources/read", {"uri": f"memory://{found[foreign]}"}, token=token)
        assert "error" in read.json()


@requirement("http:principals")
async def test_a_session_of_another_principal_is_not_found(web: HttpServer) -> None:
    ann, eve = (make_token(web.home, name, "tools:list", "tools:call") for name in ("anna", "eve"))
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with web.client(ann) as mine, web.client(eve) as foreign:
        headers = {"mcp-session-id": await web.initialize(mine)}
        assert (await mine.post("/mcp", json=message, headers=headers)).status_code == 200
        assert (await foreign.post("/mcp", json=message, headers=headers)).status_code == 404
        assert (await foreign.get("/mcp", headers=headers)).status_code == 404
        assert (await foreign.delete("/mcp", headers=headers)).status_code == 404
        assert (await mine.post("/mcp", json=message, headers=headers)).status_code == 200


@requirement("http:principals")
async def test_an_sse_session_of_another_principal_is_not_found(web: HttpServer) -> None:
    bob, eve = (make_token(web.home, name, "tools:list") for name in ("bob", "eva"))
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with web.client(bob) as mine, web.client(eve) as foreign, mine.stream("GET", "/sse") as stream:
        lines = stream.aiter_lines()
        while not (line := await anext(lines)).startswith("data: "):
            pass
        endpoint = line.removeprefix("data: ")
        assert (await foreign.post(endpoint, json=message)).status_code == 404
        assert (await mine.post(endpoint, json=message)).status_code == 202

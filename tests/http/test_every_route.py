"""Every route that a server has × every bad token, foreign name and bad body: a new route cannot be forgotten here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mcp_server.settings import Settings
from tests.authorization_server import AuthorizationServer, authorization_server, rsa_key
from tests.guests import ECHO, module, write_plugin
from tests.http.conftest import make_token
from tests.http.routes import EveryRoute, every_route
from tests.http.test_oauth import BAD, METADATA, NAMED
from tests.http_server import ACCEPT, HttpServer, http_server
from tests.requirements import requirement

JSON = {"content-type": "application/json"}
BY_MESSAGE = {"/mcp", "/sse", "/messages/"}
"""The routes of MCP: what a token may do there is judged for each message, in test_tokens.py and test_oauth.py."""
OPEN = {"/ready", "/api/v1/info", "/api/v1/openapi.json", "/api/v1/docs"}
"""Routes that every token may read: they tell of the server and of the token, and nothing of anybody."""
SCOPES = {
    "/api/v1/tools": "tools:list",
    "/api/v1/memories": "memory:",
    "/api/v1/plugins/well/call": "plugin:well:call",
}
"""By the beginning of a path; all other routes are for who manages plugins."""
TRIES = 40
"""Bad tokens from one address: fewer than it may try."""
_addresses = count(1)


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


@pytest.fixture(scope="module")
def issuer() -> Iterator[AuthorizationServer]:
    with authorization_server(rsa_key("main")) as server:
        yield server


@pytest.fixture(scope="module")
def said(issuer: AuthorizationServer) -> dict[str, Any]:
    """``[http]`` of the server, and of the one whose routes are read."""
    caps = {"max_body_kb": 64, "max_upload_mb": 1, "max_streams_per_principal": 1_000, "requests_per_second": 100_000}
    return {**caps, "burst": 100_000, "oauth": issuer.settings(admin=True, algorithms=["RS256"])}


@pytest.fixture(scope="module")
async def web(stage: Path, said: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    async with http_server(stage, home=tmp_path_factory.mktemp("home"), settings=said) as server:
        yield server


@pytest.fixture(scope="module")
async def every(said: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> EveryRoute:
    return await every_route(tmp_path_factory.mktemp("unserved"), Settings.model_validate({"http": said}))


def somebody(web: HttpServer) -> httpx2.AsyncClient:
    """A client with an address of its own, because an address may try only so many bad tokens."""
    number = next(_addresses)
    transport = httpx2.AsyncHTTPTransport(local_address=f"127.2.{number >> 8}.{number & 255}")
    return httpx2.AsyncClient(base_url=web.url, headers={"accept": ACCEPT}, transport=transport, timeout=30)


async def answers(
    web: HttpServer, routes: list[tuple[str, str]], headers: dict[str, str]
) -> AsyncIterator[tuple[str, httpx2.Response]]:
    """What each route answers, from addresses that may still try; streams are left after their head."""
    for start in range(0, len(routes), TRIES):
        async with somebody(web) as client:
            for method, path in routes[start : start + TRIES]:
                body = b"{}" if method in ("POST", "PUT", "PATCH") else None
                async with client.stream(method, path, headers={**JSON, **headers}, content=body) as answer:
                    yield f"{method} {path}", answer


@requirement("http:every-route")
async def test_the_routes_that_are_read_off_are_those_that_the_pages_name(every: EveryRoute) -> None:
    assert {"/mcp", "/sse", "/messages/", "/health", "/ready", "/metrics", METADATA} <= every.patterns
    assert {"/api/v1/plugins/{plugin}/approve", "/api/v1/memories/{memory}"} <= every.patterns
    assert every.public == {"/health", METADATA, f"{METADATA}/mcp"}


@requirement("http:every-route")
@pytest.mark.parametrize("name", ["none at all", "a static one that nobody gave out", *BAD])
async def test_every_route_refuses_every_bad_token_with_one_challenge(
    web: HttpServer, every: EveryRoute, issuer: AuthorizationServer, name: str
) -> None:
    bad = {"none at all": "", "a static one that nobody gave out": "agentmem_00000000_" + "a" * 43}
    token = bad[name] if name in bad else BAD[name][0](issuer)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    challenges: set[str] = set()
    async for route, answer in answers(web, every.guarded, headers):
        assert answer.status_code == 401, route
        challenges.add(answer.headers["www-authenticate"])
    (challenge,) = challenges
    assert NAMED in challenge
    assert 'scope="tools:list tools:call"' in challenge
    assert ('error="invalid_token"' in challenge) is bool(token)


@requirement("http:every-route")
@pytest.mark.parametrize("kind", ["static", "issued"])
async def test_every_route_refuses_a_good_token_that_is_for_something_else(
    web: HttpServer, every: EveryRoute, issuer: AuthorizationServer, kind: str
) -> None:
    scope = "plugin:else:call"
    token = make_token(web.home, "else", scope) if kind == "static" else issuer.token(scope=scope)
    judged = [(method, path) for method, path in every.guarded if path not in BY_MESSAGE | OPEN]
    assert len(judged) >= 25
    async for route, answer in answers(web, judged, {"authorization": f"Bearer {token}"}):
        if answer.status_code == 422:  # a body that the route cannot read is told before whose it is
            continue
        assert answer.status_code == 403, route
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge, route
        assert NAMED in challenge, route
        needed = next((needs for start, needs in SCOPES.items() if start in route), "admin:plugins")
        assert f'scope="{needed}' in challenge, route


@requirement("http:every-route")
async def test_a_token_for_calling_tools_reaches_no_route_of_management(web: HttpServer, every: EveryRoute) -> None:
    token = make_token(web.home, "caller", "tools:list", "tools:call", "memory:read", "memory:write")
    managed = [(m, path) for m, path in every.guarded if not {path} & (BY_MESSAGE | OPEN)]
    managed = [(m, path) for m, path in managed if not any(path.startswith(start) for start in SCOPES)]
    assert len(managed) >= 18
    async for route, answer in answers(web, managed, {"authorization": f"Bearer {token}"}):
        assert answer.status_code in (403, 422), route
        if answer.status_code == 403:
            assert 'scope="admin:plugins"' in answer.headers["www-authenticate"], route


@requirement("http:every-route")
async def test_every_route_refuses_names_that_are_not_the_servers(web: HttpServer, every: EveryRoute) -> None:
    port, good = web.port, {"authorization": f"Bearer {web.token}"}
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil:{port}", f"localhost:{port}@x"):
        async for route, answer in answers(web, every.all, {**good, "host": host}):
            assert answer.status_code == 421, (route, host)
    own = f"http://localhost:{port}"
    for origin in ("null", "https://evil.example", f"{own}.evil.example", f"{own}/", f"ftp://localhost:{port}"):
        async for route, answer in answers(web, every.all, {**good, "origin": origin}):
            assert answer.status_code == 403, (route, origin)
            assert "access-control-allow-origin" not in answer.headers, route


@requirement("http:every-route")
async def test_every_route_that_takes_a_body_refuses_one_past_its_cap_or_of_another_type(
    web: HttpServer, every: EveryRoute
) -> None:
    assert len(every.writes) >= 15
    async with web.client() as client:
        for method, path in every.writes:
            cap = 1024 * 1024 if (method, path) == ("POST", "/api/v1/plugins") else 64 * 1024
            long = await client.request(method, path, content=b"x" * (cap + 1), headers=JSON)
            assert (long.status_code, long.json()["code"]) == (413, "body_too_large"), (method, path)
            for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
                other = await client.request(method, path, content=b"{}", headers={"content-type": kind})
                assert (other.status_code, other.json()["code"]) == (415, "unsupported_media_type"), (method, path)


@requirement("http:every-route")
async def test_no_route_has_another_spelling_that_is_open(web: HttpServer, every: EveryRoute) -> None:
    spellings: list[tuple[str, str]] = []
    for method, path in every.guarded:
        odd = {f"/{path}", f"{path}/", path.upper(), path.replace("/", "/./", 1), f"/x/..{path}", f"{path};a=b"}
        odd |= {f"/%{ord(path[1]):02x}{path[2:]}", f"/health/..{path}"}
        spellings += [(method, spelling) for spelling in sorted(odd)]
    async for route, answer in answers(web, spellings, {}):
        assert answer.status_code == 401, route

"""Access tokens of an authorization server: every route with every kind of them, and what a good one is good for."""

from __future__ import annotations

import base64
import itertools
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from mcp import Client
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client

from tests.authorization_server import RESOURCE, AuthorizationServer, authorization_server, ec_key, rsa_key
from tests.canary import slot
from tests.flows.test_capabilities_from_wasm import relay
from tests.guests import ECHO, module, write_plugin
from tests.http.test_tokens import ROUTES
from tests.http_server import ACCEPT, HttpServer, http_server
from tests.requirements import requirement

METADATA = "/.well-known/oauth-protected-resource"
NAMED = f'resource_metadata="http://127.0.0.1:8765{METADATA}/mcp"'


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "other", module(ECHO))
    write_plugin(
        folder,
        "net",
        relay("http_request"),
        '[capabilities]\nrequired = ["NetworkAccess"]\n[network]\nallow = ["http://127.0.0.1:*"]',
    )


@pytest.fixture(scope="module")
def issuer() -> Iterator[AuthorizationServer]:
    with authorization_server(rsa_key("main")) as server:
        yield server


@pytest.fixture(scope="module")
async def web(
    stage: Path, issuer: AuthorizationServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HttpServer]:
    home = tmp_path_factory.mktemp("home")
    more = {"scopes": {"mcp.use": ["tools:list", "plugin:well:call"]}, "algorithms": ["RS256"]}
    async with http_server(stage, home=home, settings={"oauth": issuer.settings(**more)}) as server:
        yield server


_addresses = itertools.count(1)


def somebody(web: HttpServer) -> httpx2.AsyncClient:
    """A client with an address of its own, because an address may try only so many bad tokens."""
    number = next(_addresses)
    transport = httpx2.AsyncHTTPTransport(local_address=f"127.1.{number >> 8}.{number & 255}")
    return httpx2.AsyncClient(base_url=web.url, headers={"accept": ACCEPT}, transport=transport, timeout=30)


def unsigned(issuer: AuthorizationServer) -> str:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return jwt.encode(claims, "", "none", {"typ": "at+jwt", "kid": issuer.key.name})


def confused(issuer: AuthorizationServer) -> str:
    """Signed with HMAC, the public key being the secret; by hand, since the library refuses to."""
    import hashlib  # noqa: PLC0415  # for this one forgery
    import hmac  # noqa: PLC0415  # as above

    head = {"alg": "HS256", "typ": "at+jwt", "kid": issuer.key.name}
    text = f"{part(head)}.{issuer.token().split('.')[1]}"
    mac = hmac.digest(issuer.key.pem(), text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def tampered(issuer: AuthorizationServer) -> str:
    head, _, signature = issuer.token().split(".")
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return f"{head}.{part({**claims, 'sub': 'root', 'scope': 'tools:call'})}.{signature}"


def deep(issuer: AuthorizationServer) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5_000).rstrip(b"=").decode()
    return f"{head}.{issuer.token().split('.', 1)[1]}"


NOW = int(time.time())
BAD: dict[str, tuple[Callable[[AuthorizationServer], str], str]] = {
    "expired": (lambda one: one.token(exp=NOW - 3_600), "has expired"),
    "not yet": (lambda one: one.token(nbf=NOW + 3_600), "is not valid yet"),
    "from the future": (lambda one: one.token(iat=NOW + 3_600), "is not valid yet"),
    "never ends": (lambda one: one.token(without="exp"), "misses a claim"),
    "another audience": (lambda one: one.token(aud="https://elsewhere.example/mcp"), "is meant for another server"),
    "a part of the audience": (lambda one: one.token(aud=RESOURCE + "/x"), "is meant for another server"),
    "no audience": (lambda one: one.token(without="aud"), "misses a claim"),
    "another issuer": (lambda one: one.token(iss="https://elsewhere.example"), "is not known here"),
    "nearly the issuer": (lambda one: one.token(iss=one.url + "/"), "is not known here"),
    "no issuer": (lambda one: one.token(without="iss"), "is not known here"),
    "nobody": (lambda one: one.token(without="sub"), "does not say in 'sub' who calls"),
    "a list of subjects": (lambda one: one.token(sub=["ann"]), "is no good JSON Web Token"),
    "an odd subject": (lambda one: one.token(sub="ann\nroot"), "does not say in 'sub' who calls"),
    "none": (unsigned, "signed in a way that is not allowed"),
    "hmac": (confused, "signed in a way that is not allowed"),
    "another algorithm": (lambda one: one.token(key=ec_key("main")), "signed in a way that is not allowed"),
    "unknown kid": (lambda one: one.token(header={"kid": "nobody's"}), "a key that its issuer does not show"),
    "another's key": (lambda one: one.token(key=rsa_key("main")), "has a wrong signature"),
    "tampered": (tampered, "has a wrong signature"),
    "an id token": (lambda one: one.token(header={"typ": "JWT"}), "is not of the type at+jwt"),
    "critical": (lambda one: one.token(header={"crit": ["exp"], "exp": 1}), "is not known here"),
    "own key": (
        lambda one: one.token(key=rsa_key("mine"), header={"jwk": rsa_key("mine").shown(), "jku": one.url}),
        "a key that its issuer does not show",
    ),
    "deep": (deep, "is not known here"),
    "endless": (lambda one: one.token(exp=float("inf")), "is no good JSON Web Token"),
}


@requirement("http:oauth")
@pytest.mark.parametrize("name", BAD)
async def test_every_route_refuses_a_token_that_is_not_good_and_says_why(
    web: HttpServer, issuer: AuthorizationServer, name: str
) -> None:
    make, why = BAD[name]
    token = make(issuer)
    async with somebody(web) as client:
        refused = await client.get("/mcp", headers={"authorization": f"Bearer {token}"})
        for method, path in ROUTES:
            answer = await client.request(method, path, headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == refused.headers["www-authenticate"], (method, path)
    challenge = refused.headers["www-authenticate"]
    assert 'error="invalid_token"' in challenge
    assert why.replace('"', "'") in challenge
    assert NAMED in challenge
    assert 'scope="tools:list tools:call"' in challenge


@requirement("http:oauth")
@pytest.mark.parametrize(
    ("method", "path"), [*ROUTES, ("POST", METADATA), ("GET", METADATA + "/"), ("GET", "/%2e/mcp")]
)
async def test_without_a_token_every_route_names_the_metadata(web: HttpServer, method: str, path: str) -> None:
    async with somebody(web) as client:
        answer = await client.request(method, path)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert NAMED in challenge
    assert "error=" not in challenge


@requirement("http:oauth")
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_with_a_good_token_every_route_is_past_the_guard_and_nowhere_is_another_way_in(
    web: HttpServer, issuer: AuthorizationServer, method: str, path: str
) -> None:
    token = issuer.token()
    async with somebody(web) as client:

        async def ask(*headers: tuple[str, str]) -> int:
            async with client.stream(method, path, headers=[("accept", ACCEPT), *headers]) as answer:
                return answer.status_code

        assert await ask(("authorization", f"Bearer {token}")) not in (401, 403)
        assert await ask(("AUTHORIZATION", f"bearer {token}")) not in (401, 403)
        assert await ask(("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")) == 401
        for value in ("Bearer", "Bearer,", f"Bearer  {token}", f"Bearer {token} x", f"Bearer {token},", token):
            assert await ask(("authorization", value)) == 401, value


@requirement("http:oauth")
@pytest.mark.parametrize("path", [METADATA, METADATA + "/mcp"])
async def test_the_metadata_is_read_without_a_token(web: HttpServer, issuer: AuthorizationServer, path: str) -> None:
    async with httpx2.AsyncClient(base_url=web.url) as client:
        answer = await client.get(path)
        assert (await client.head(path)).status_code == 200
    assert answer.json() == {
        "resource": RESOURCE,
        "authorization_servers": [issuer.url],
        "scopes_supported": ["tools:list", "tools:call", "memory:read", "memory:write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "agentmem-mcp",
    }


@requirement("http:oauth-scopes")
@pytest.mark.parametrize(
    ("claims", "needed"),
    [
        ({"scope": "tools:list"}, "plugin:other:call"),
        ({"scope": "plugin:well:call tools:list"}, "plugin:other:call"),
        ({"scope": "", "scp": ["mcp.use"]}, "plugin:other:call"),
        ({"scope": "TOOLS:CALL tools:call:x plugin:*:call"}, "plugin:other:call"),
        ({"scope": 7, "scp": {"tools:call": True}}, "plugin:other:call"),
        ({"without": "scope"}, "plugin:other:call"),
    ],
)
async def test_a_good_token_without_the_scope_is_told_what_is_needed(
    web: HttpServer, issuer: AuthorizationServer, claims: dict[str, Any], needed: str
) -> None:
    refused = await web.modern("tools/call", {"name": "other__echo", "arguments": {}}, token=issuer.token(**claims))
    assert refused.status_code == 403
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{needed}"' in challenge
    assert NAMED in challenge


@requirement("http:oauth-scopes")
@pytest.mark.parametrize(
    "claims",
    [
        {"scope": "openid tools:call"},
        {"without": "scope", "scp": ["tools:call"]},
        {"scope": "plugin:well:call"},
        {"scope": "mcp.use"},
        {"aud": ["https://elsewhere.example", RESOURCE]},
        {"exp": NOW + 7_200.5, "nbf": NOW + 10},
    ],
)
async def test_a_good_token_is_good_for_its_scopes_in_every_form(
    web: HttpServer, issuer: AuthorizationServer, claims: dict[str, Any]
) -> None:
    assert (await web.call("well__echo", {"a": 1}, token=issuer.token(**claims)))["structuredContent"] == {"a": 1}


@requirement("http:oauth-scopes")
async def test_a_word_for_managing_counts_only_from_an_issuer_that_may_say_it(
    stage: Path, issuer: AuthorizationServer, tmp_path: Path, web: HttpServer
) -> None:
    from mcp_server.policy.claims import ClaimRules, scopes_in  # noqa: PLC0415  # the rule itself, beside the server

    claims = {"scope": "admin:plugins tools:list"}
    assert scopes_in(claims, ClaimRules(issuer.url)) == {"tools:list"}
    assert scopes_in(claims, ClaimRules(issuer.url, admin=True)) == {"tools:list", "admin:plugins"}
    mapped = {"boss": ("admin:plugins",)}
    assert scopes_in({"scope": "boss"}, ClaimRules(issuer.url, mapped=mapped)) == frozenset()


@requirement("http:oauth-principals")
async def test_the_same_subject_of_two_issuers_and_of_this_machine_are_three_principals(
    stage: Path, tmp_path: Path
) -> None:
    with authorization_server() as one, authorization_server() as two:
        settings = one.settings()
        settings["issuers"]["second"] = two.settings()["issuers"]["local"]
        scope = "memory:read memory:write"
        async with http_server(stage, home=tmp_path, settings={"oauth": settings}) as server:
            tokens = [one.token(sub="local", scope=scope), two.token(sub="local", scope=scope), server.token]
            for number, token in enumerate(tokens):
                await server.call("memory__add", {"content": f"fact {number}"}, token=token)
            for number, token in enumerate(tokens):
                listed = await server.call("memory__list", token=token)
                found = [memory["content"] for memory in listed["structuredContent"]["memories"]]
                assert found == [f"fact {number}"]
            forged = one.token(iss=two.url)
            assert (await server.modern("tools/list", token=forged)).status_code == 401


@requirement("http:oauth-keys")
async def test_a_new_key_is_found_while_the_server_runs_and_an_old_one_is_dropped(stage: Path, tmp_path: Path) -> None:
    with authorization_server(ec_key("old")) as issuer:
        old = issuer.token()
        async with http_server(stage, home=tmp_path, settings={"oauth": issuer.settings()}) as server:
            assert (await server.modern("tools/list", token=old)).status_code == 200
            assert (await server.modern("tools/list", token=old)).status_code == 200
            assert issuer.looks == 1
            new = rsa_key("new")
            issuer.keys = {"keys": [new.shown()]}
            assert (await server.modern("tools/list", token=issuer.token(key=new))).status_code == 200
            assert issuer.looks == 2
            assert (await server.modern("tools/list", token=old)).status_code == 401


@requirement("http:oauth-keys")
async def test_unknown_keys_make_the_server_ask_no_more_often_than_it_may(stage: Path, tmp_path: Path) -> None:
    with authorization_server() as issuer:
        settings = {**issuer.settings(), "jwks_pause_seconds": 3_600}
        async with http_server(stage, home=tmp_path, settings={"oauth": settings}) as server:
            for number in range(10):
                bad = issuer.token(header={"kid": f"guess {number}"})
                assert (await server.modern("tools/list", token=bad)).status_code == 401
            assert (await server.modern("tools/list", token=issuer.token())).status_code == 200
            assert issuer.looks == 1


@requirement("http:oauth-keys")
async def test_while_the_keys_cannot_be_had_nobody_is_judged_and_known_keys_stay_good(
    stage: Path, tmp_path: Path
) -> None:
    with authorization_server() as issuer:
        issuer.down = True
        settings = {**issuer.settings(), "jwks_refresh_seconds": 1}
        async with http_server(stage, home=tmp_path, settings={"oauth": settings}) as server:
            unjudged = await server.modern("tools/list", token=issuer.token())
            assert (unjudged.status_code, unjudged.json()["code"]) == (503, "tokens_unreadable")
            assert (await server.modern("tools/list")).status_code == 200
            issuer.down = False
            while (await server.modern("tools/list", token=issuer.token())).status_code != 200:
                pass  # the pause between two looks is 10 ms
            issuer.down, seen = True, issuer.looks
            while issuer.looks == seen:
                assert (await server.modern("tools/list", token=issuer.token())).status_code == 200
            assert (await server.modern("tools/list", token=issuer.token())).status_code == 200


@requirement("http:oauth-keys")
@pytest.mark.parametrize(
    "keys",
    [
        "no JSON",
        '{"keys": {}}',
        "[]",
        '{"keys": [5]}',
        "x" * 300_000,
        f'{{"keys": [{"{}, " * 100}{{}}]}}',
        "[" * 100_000,
    ],
    ids=["text", "object", "none", "number", "long", "many", "deep"],
)
async def test_no_document_in_place_of_keys_lets_anybody_in(stage: Path, tmp_path: Path, keys: str) -> None:
    with authorization_server() as issuer:
        issuer.keys = keys
        async with http_server(stage, home=tmp_path, settings={"oauth": issuer.settings()}) as server:
            assert (await server.modern("tools/list", token=issuer.token())).status_code in (401, 503)
            assert (await server.modern("tools/list")).status_code == 200


@requirement("http:oauth-keys")
@pytest.mark.parametrize(
    "shown", [{"use": "enc"}, {"alg": "RS512"}, {"n": "AQAB"}, {"n": 5}, {"kty": "oct", "k": "YQ"}]
)
async def test_a_key_that_is_not_for_this_is_not_used(stage: Path, tmp_path: Path, shown: dict[str, Any]) -> None:
    with authorization_server(rsa_key()) as issuer:
        issuer.keys = {"keys": [issuer.key.shown(**shown)]}
        async with http_server(stage, home=tmp_path, settings={"oauth": issuer.settings()}) as server:
            assert (await server.modern("tools/list", token=issuer.token())).status_code == 401


@requirement("http:oauth")
async def test_no_plugin_and_no_upstream_is_shown_the_token(stage: Path, tmp_path: Path) -> None:
    from mcp_server.testing.servers import Reply, local_site  # noqa: PLC0415  # the upstream of this test alone

    with authorization_server() as issuer, local_site(lambda asked: Reply({"saw": dict(asked.headers)})) as upstream:
        token = issuer.token(jti=slot("access token"), scope="tools:call")
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "config.toml").write_text(
            '[grants.net]\ncapabilities = ["NetworkAccess"]\n[grants.net.network]\n'
            f'allow = ["{upstream.url}/*"]\nranges = ["127.0.0.1/32"]\n'
        )
        async with http_server(stage, home=tmp_path, settings={"oauth": issuer.settings()}) as server:
            result = await server.call("net__http_request", {"url": f"{upstream.url}/x"}, token=token)
        assert result["structuredContent"]["success"], result
        (seen,) = upstream.requests
        assert issuer.site is not None
        for request in (seen, *issuer.site.requests):
            sent = f"{request.path} {request.headers} {request.body!r}"
            assert "authorization" not in request.headers
            assert not any(piece in sent for piece in token.split("."))
        assert not any(piece in json.dumps(result) for piece in token.split("."))


@requirement("http:oauth")
async def test_the_sdks_client_finds_its_way_from_the_challenge_to_a_token(stage: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with authorization_server() as issuer:
        issuer.audience = f"http://127.0.0.1:{port}/mcp"
        settings = {"oauth": issuer.settings(), "local_token": False}
        async with http_server(stage, home=tmp_path, address=f"127.0.0.1:{port}", settings=settings) as server:
            auth = ClientCredentialsOAuthProvider(
                f"{server.url}/mcp",
                storage=_Storage(),
                client_id="tests",
                client_secret="of-the-tests",  # noqa: S106  # nobody checks it
                issuer=issuer.url,
            )
            async with (
                httpx2.AsyncClient(auth=auth, timeout=30) as http,
                Client(streamable_http_client(f"{server.url}/mcp", http_client=http)) as client,
            ):
                result = await client.call_tool("well__echo", {"a": 1})
    assert result.structured_content == {"a": 1}


class _Storage:
    """What the SDK's client keeps between runs: nothing."""

    async def get_tokens(self) -> None:
        return None

    async def set_tokens(self, tokens: object) -> None:
        return None

    async def get_client_info(self) -> None:
        return None

    async def set_client_info(self, client_info: object) -> None:
        return None


@requirement("http:oauth")
async def test_a_server_that_others_reach_needs_no_static_token_where_an_issuer_is_named(
    stage: Path, tmp_path: Path
) -> None:
    with authorization_server() as issuer:
        settings = {"oauth": issuer.settings(), "hosts": ["127.0.0.1:*"]}
        async with http_server(stage, home=tmp_path, address="0.0.0.0:0", settings=settings) as server:
            url = server.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # a test of just that
            async with httpx2.AsyncClient(base_url=url, headers=server.headers(issuer.token())) as client:
                assert (await client.get("/ready")).status_code == 200
            async with httpx2.AsyncClient(base_url=url) as client:
                assert (await client.get("/ready")).status_code == 401

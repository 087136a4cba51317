"""An issuer without ``jwks_url``: its keys are found where it says, and it is believed no further than that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.testing.servers import Reply, local_site
from tests.authorization_server import WELL_KNOWN, AuthorizationServer, authorization_server, rsa_key
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.requirements import requirement

OPENID = "/.well-known/openid-configuration"


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


async def status(server: HttpServer, issuer: AuthorizationServer) -> int:
    """What a good token of ``issuer`` is answered."""
    return (await server.modern("tools/list", token=issuer.token())).status_code


def asked(issuer: AuthorizationServer) -> list[str]:
    assert issuer.site is not None
    return [request.path for request in issuer.site.requests]


@requirement("http:oauth-discovery")
@pytest.mark.parametrize(
    ("path", "place", "looks"),
    [
        ("", WELL_KNOWN, [WELL_KNOWN]),
        ("", OPENID, [WELL_KNOWN, OPENID]),
        ("/a/tenant", WELL_KNOWN + "/a/tenant", [WELL_KNOWN + "/a/tenant"]),
        ("/a/tenant", OPENID + "/a/tenant", [WELL_KNOWN + "/a/tenant", OPENID + "/a/tenant"]),
        (
            "/a/tenant",
            "/a/tenant" + OPENID,
            [WELL_KNOWN + "/a/tenant", OPENID + "/a/tenant", "/a/tenant" + OPENID],
        ),
    ],
)
async def test_the_keys_are_found_where_the_issuer_says(
    stage: Path, tmp_path: Path, path: str, place: str, looks: list[str]
) -> None:
    with authorization_server() as issuer:
        issuer.path = path
        issuer.metadata = {place: issuer.described()}
        async with http_server(stage, home=tmp_path, settings={"oauth": issuer.settings(jwks_url=None)}) as server:
            assert await status(server, issuer) == 200
            assert asked(issuer) == [*looks, "/jwks"]
            assert await status(server, issuer) == 200
            assert asked(issuer) == [*looks, "/jwks"]


@requirement("http:oauth-discovery")
async def test_a_new_key_at_a_new_place_is_found_while_the_server_runs(stage: Path, tmp_path: Path) -> None:
    with authorization_server() as issuer:
        settings = {**issuer.settings(jwks_url=None), "jwks_pause_seconds": 0.000_001}
        async with http_server(stage, home=tmp_path, settings={"oauth": settings}) as server:
            assert await status(server, issuer) == 200
            old, issuer.key = issuer.key, rsa_key("new")
            issuer.keys = {"keys": [issuer.key.shown()]}
            assert await status(server, issuer) == 200
            assert (await server.modern("tools/list", token=issuer.token(key=old))).status_code == 401


Said = Callable[[AuthorizationServer, str], Any]
UNTRUE: dict[str, Said] = {
    "another issuer": lambda one, other: one.described(issuer="https://login.example.com"),
    "nearly the issuer": lambda one, other: one.described(issuer=one.url + "/"),
    "no issuer": lambda one, other: {"jwks_uri": f"{one.url}/jwks"},
    "no keys": lambda one, other: {"issuer": one.url},
    "keys of another host": lambda one, other: one.described(jwks_uri=f"{other}/jwks"),
    "a host that begins alike": lambda one, other: one.described(jwks_uri=f"{one.url}.example.com/jwks"),
    "a user before the host": lambda one, other: one.described(jwks_uri=f"{one.url}@{other[7:]}/jwks"),
    "the other name of this machine": lambda one, other: one.described(
        jwks_uri=f"{one.url.replace('127.0.0.1', 'localhost')}/jwks"
    ),
    "a file": lambda one, other: one.described(jwks_uri="file:///etc/passwd"),
    "no URL": lambda one, other: one.described(jwks_uri="http://[::1/jwks"),
    "a number": lambda one, other: one.described(jwks_uri=5),
    "a list": lambda one, other: [one.described()],
    "deep": lambda one, other: Reply("[" * 100_000),
    "long": lambda one, other: Reply(json.dumps(one.described(more="x" * 300_000))),
    "elsewhere": lambda one, other: Reply("", 302, {"location": f"{other}{WELL_KNOWN}"}),
    "no JSON": lambda one, other: Reply("<html>"),
}


@requirement("http:oauth-discovery")
async def test_a_document_that_is_not_the_issuers_own_is_not_believed(stage: Path, tmp_path: Path) -> None:
    with authorization_server() as issuer, local_site(lambda _: Reply(issuer.keys)) as other:
        settings = {**issuer.settings(jwks_url=None), "jwks_pause_seconds": 0.000_001}
        async with http_server(stage, home=tmp_path, settings={"oauth": settings}) as server:
            for name, said in UNTRUE.items():
                issuer.metadata = {place: said(issuer, other.url) for place in (WELL_KNOWN, OPENID)}
                assert await status(server, issuer) == 503, name
            assert not issuer.looks
            assert not other.requests
            issuer.metadata = {WELL_KNOWN: UNTRUE["another issuer"](issuer, ""), OPENID: issuer.described()}
            assert await status(server, issuer) == 200


@requirement("http:oauth-discovery")
async def test_the_log_says_why_no_keys_were_found_and_the_caller_is_told_nothing(stage: Path, tmp_path: Path) -> None:
    with authorization_server() as issuer:
        issuer.metadata = {WELL_KNOWN: issuer.described(jwks_uri="https://keys.example.com/jwks")}
        settings, loud = issuer.settings(jwks_url=None), {"AGENTMEM_LOG__LEVEL": "warning"}
        async with http_server(stage, home=tmp_path, settings={"oauth": settings}, environment=loud) as server:
            refused = await server.modern("tools/list", token=issuer.token())
            assert (refused.status_code, refused.json()["code"]) == (503, "tokens_unreadable")
            assert "keys.example.com" not in refused.text
            line = b""
            while b"could not be fetched" not in line:
                line = await server.stderr.receive_until(b"\n", 65_536)
    assert b"https://keys.example.com/jwks" in line
    assert b"set jwks_url to it" in line


@requirement("http:oauth-discovery")
async def test_a_place_that_the_operator_names_is_not_asked_about(stage: Path, tmp_path: Path) -> None:
    with authorization_server() as issuer:
        async with http_server(stage, home=tmp_path, settings={"oauth": issuer.settings()}) as server:
            assert await status(server, issuer) == 200
        assert asked(issuer) == ["/jwks"]

"""Signing in with a browser: who gets in, for how long, and what is kept of it."""

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path

import pytest

from mcp_server.backends.sign_ins import SignIns
from tests.admin.conftest import API
from tests.authorization_server import authorization_server
from tests.canary import slot
from tests.commands import answer
from tests.guests import ECHO, module, write_plugin
from tests.http.test_processes import TWO, only
from tests.http_server import HttpServer, http_server
from tests.page.conftest import PLACES, make_token, person, sessions
from tests.requirements import requirement


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


@requirement("page:sign-in")
async def test_a_visitor_gets_the_form_wherever_they_go_and_is_then_led_back(web: HttpServer) -> None:
    async with person(web, None) as visitor:
        for place in PLACES:
            shown = await visitor.get(place, 401)
            assert 'name="token"' in shown and f'name="back" value="{place}"' in shown
        led = await visitor.send("/page/sign-in", {"token": web.token, "back": "/page/tools?said=start"})
        assert (led.status_code, led.headers["location"]) == (303, "/page/tools?said=start")
        assert "well__echo" in await visitor.get("/page/tools")


@requirement("page:sign-in")
@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/page//evil", "/mcp", "", "/page/\r\nx: y"]
)
async def test_nobody_is_led_elsewhere_after_signing_in(web: HttpServer, back: str) -> None:
    async with person(web, None) as visitor:
        assert (await visitor.sign_in(web.token, back)).headers["location"] == "/"


@requirement("page:sign-in")
async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(web: HttpServer) -> None:
    async with person(web, None) as visitor:
        plain = await visitor.sign_in(web.token)
        attributes = plain.headers["set-cookie"].lower()
        assert "httponly" in attributes and "samesite=strict" in attributes and "secure" not in attributes
        assert web.token not in plain.headers["set-cookie"]
    async with person(web, None) as visitor:
        await visitor.get("/page/sign-in")
        behind_tls = await visitor.send(
            "/page/sign-in", {"token": web.token}, headers={"origin": f"https://127.0.0.1:{web.port}"}
        )
        assert "secure" in behind_tls.headers["set-cookie"].lower()


@requirement("page:sign-in")
async def test_a_cookie_that_was_planted_before_is_not_the_one_of_the_session(web: HttpServer) -> None:
    async with person(web, None) as visitor, person(web, None) as attacker:
        await visitor.get("/page/sign-in")
        planted = dict(visitor.client.cookies)
        await visitor.send("/page/sign-in", {"token": web.token})
        assert dict(visitor.client.cookies) != planted
        attacker.client.cookies.update(planted)
        await attacker.get("/", 401)


@requirement("page:sign-in")
@pytest.mark.parametrize("token", ["", "x", "agentmem_local_" + "a" * 43, "é" * 20, "x" * 20_000, "Bearer"])
async def test_a_token_that_is_not_good_signs_nobody_in(web: HttpServer, token: str) -> None:
    async with person(web, None) as visitor:
        refused = await visitor.sign_in(token)
        assert refused.status_code == 401 and "Not signed in" in refused.text
        assert token == "" or token not in refused.text or len(token) < 10
        await visitor.get("/", 401)


@requirement("page:sign-in")
async def test_attempts_are_counted_with_all_bad_tokens_of_an_address(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server, person(server, None) as visitor:
        wrong = {"authorization": "Bearer agentmem_wrong_x"}
        for _ in range(45):
            assert (await visitor.client.get("/ready", headers=wrong)).status_code == 401
        statuses = [(await visitor.sign_in(f"agentmem_no_{number}")).status_code for number in range(20)]
        assert statuses[0] == 401 and 429 in statuses
        assert (await visitor.sign_in(server.token)).status_code == 303


@requirement("page:sign-in")
async def test_signing_out_ends_the_session_on_the_server(web: HttpServer) -> None:
    async with person(web) as operator, person(web, None) as thief:
        thief.client.cookies.update(dict(operator.client.cookies))
        await thief.get("/")
        out = await operator.send("/page/sign-out")
        assert (out.status_code, out.headers["location"]) == (303, "/page/sign-in?said=signed-out")
        await operator.get("/", 401)
        await thief.get("/", 401)


@requirement("page:sign-in")
async def test_a_session_ends_with_its_token(web: HttpServer) -> None:
    token = make_token(web.home, "leaving", "tools:list")
    async with person(web, token) as somebody:
        await somebody.get("/page/tools")
        answer(web.home, "token", "revoke", "leaving")
        assert "Not signed in: the token is not known here" in await somebody.get("/page/tools", 401)


@requirement("page:sign-in")
async def test_a_session_that_nobody_used_has_ended_and_a_script_does_not_count_as_use(
    stage: Path, tmp_path: Path
) -> None:
    async with http_server(stage, home=tmp_path) as server, person(server) as operator:
        [file] = sessions(tmp_path)
        almost = time.time() - 1_700
        os.utime(file, (almost, almost))
        await operator.get("/page/charts", headers={"x-refresh": "1"})
        assert file.stat().st_mtime == pytest.approx(almost, abs=1)
        await operator.get("/page/charts")
        assert file.stat().st_mtime > almost + 1_000
        os.utime(file, (almost - 101, almost - 101))
        await operator.get("/", 401)
        assert sessions(tmp_path) == []


@requirement("page:sign-in")
def test_a_sign_in_ends_at_its_total_time_however_it_is_used(tmp_path: Path) -> None:
    now = [1_000_000.0]
    kept = SignIns(tmp_path / "kept", idle_seconds=100, total_seconds=250, clock=lambda: now[0])
    secret = kept.open("the token")
    for _ in range(4):
        now[0] += 60
        assert kept.token(secret) == "the token"
        kept.touch(secret)
    now[0] += 10
    assert kept.token(secret) is None
    assert list((tmp_path / "kept").iterdir()) == []


@requirement("page:sign-in")
def test_what_is_kept_tells_nothing_without_the_browsers_secret_and_takes_no_change(tmp_path: Path) -> None:
    kept = SignIns(tmp_path / "kept", 100, 1_000)
    secret = kept.open("agentmem_local_secret")
    [file] = (tmp_path / "kept").iterdir()
    data = file.read_bytes()
    assert b"agentmem_local" not in data and secret not in file.name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept.token("A" * 43) is None
    for position in (0, 10, len(data) - 1):
        file.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        assert kept.token(secret) is None
    file.write_bytes(b"")
    assert kept.token(secret) is None
    file.write_bytes(data)
    assert kept.token(secret) == "agentmem_local_secret"


@requirement("page:sign-in")
def test_no_more_people_are_signed_in_than_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_server.backends.sign_ins.MOST", 3)
    now = [1_000_000.0]
    kept = SignIns(tmp_path / "kept", 1_000, 10_000, clock=lambda: now[0])
    secrets: list[str] = []
    for number in range(5):
        now[0] += 1
        secrets.append(kept.open(f"token {number}"))
    assert [kept.token(secret) for secret in secrets] == [None, None, "token 2", "token 3", "token 4"]


@requirement("page:sign-in")
async def test_the_cookie_stands_for_nobody_on_the_paths_of_programs(web: HttpServer) -> None:
    async with person(web) as operator:
        for path in (f"{API}/plugins", "/metrics", "/ready", "/nope", f"{API}/memories"):
            assert (await operator.client.get(path)).status_code == 401, path
        called = await operator.client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert called.status_code == 401


@requirement("page:sign-in")
async def test_an_access_token_of_the_operators_authorization_server_signs_in(stage: Path, tmp_path: Path) -> None:
    with authorization_server() as issuer:
        settings = {"oauth": issuer.settings()}
        async with http_server(stage, home=tmp_path, settings=settings) as server:
            async with person(server, issuer.token(scope="tools:list", jti=slot("sign-in"))) as somebody:
                assert "well__echo" not in await somebody.get("/page/tools")
            async with person(server, None) as somebody:
                assert (await somebody.sign_in(issuer.token(exp=1))).status_code == 401


@requirement("page:processes")
async def test_who_signed_in_at_one_process_is_signed_in_and_out_at_all(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, arguments=TWO) as server:
        with only(server, 0):
            async with person(server) as operator:
                cookies = dict(operator.client.cookies)
        with only(server, 1):
            async with person(server, None) as same:
                same.client.cookies.update(cookies)
                assert "Plugins" in await same.get("/")
                assert (await same.send("/page/plugins/well/switch/stop")).status_code == 303
                assert (await same.send("/page/sign-out")).status_code == 303
        with only(server, 0):
            async with person(server, None) as same:
                same.client.cookies.update(cookies)
                await same.get("/", 401)


@requirement("page:processes")
async def test_the_log_of_every_process_tells_what_happened_in_all(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, arguments=TWO) as server:
        with only(server, 0):
            async with person(server) as operator:
                await operator.get("/page/log")
        with only(server, 1):
            async with person(server) as operator:
                await operator.get("/page/tools/well__echo")
                assert (await operator.send("/page/tools/well__echo", {"how": "json", "json": "{}"})).status_code == 200
        with only(server, 0):
            async with person(server) as operator:
                assert "well__echo for local" in await operator.get("/page/log")


@requirement("page:off")
async def test_without_the_page_there_is_nothing_at_its_addresses(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, settings={"page": False}) as server, server.client() as client:
        for place in (*PLACES, "/page/sign-in", "/page/static/page.css"):
            assert (await client.get(place)).status_code == 404, place
        assert (await client.get(f"{API}/plugins")).status_code == 200


@requirement("page:sign-in")
async def test_the_server_says_at_its_start_where_the_page_is(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path) as server:
        line = (await server.stderr.receive_until(b"\n", 65_536)).decode()
        assert re.search(rf"in a browser: {server.url}/", line)


@requirement("page:sign-in")
async def test_where_everybody_may_call_nobody_signs_in_and_nobody_manages(stage: Path, tmp_path: Path) -> None:
    async with http_server(stage, home=tmp_path, arguments=["--no-auth"]) as server, person(server, None) as anybody:
        shown = await anybody.get("/")
        assert "anonymous" in shown and "Sign out" not in shown and "/page/log" not in shown
        assert (await anybody.client.get("/page/sign-in")).headers["location"] == "/"
        for place in ("/page/plugins/well", "/page/log", "/page/charts", "/page/approvals"):
            assert "insufficient_scope" in await anybody.get(place, 403)
        await anybody.get("/page/tools/well__echo")
        called = await anybody.send("/page/tools/well__echo", {"how": "json", "json": '{"a": 1}'})
        assert called.status_code == 200 and "&#34;a&#34;: 1" in called.text

"""What stands around every address of the page: names, sizes, scopes, forms, and the headers of the answers."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from mcp_server.backends.sign_ins import SignIns
from mcp_server.page.annex import MOST_FORM_BYTES
from mcp_server.page.door import BrowserDoor
from mcp_server.page.rendering import Pages
from mcp_server.transport.http.problem import problem
from tests.guests import ECHO, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.page.conftest import PLACES, elements, make_token, person
from tests.requirements import requirement

FORMS = {
    "/page/sign-in": {"token": "x"},
    "/page/sign-out": {},
    "/page/plugins/well/switch/stop": {},
    "/page/plugins/well/rights": {"kind": "capability", "name": "StorageAccess", "does": "grant"},
    "/page/approvals": {"plugin": "well", "seen": "x"},
    "/page/tools/well__echo": {"how": "json", "json": "{}"},
    "/page/memories": {"content": "x"},
    "/page/memories/m/delete": {},
}
OPEN = ("/page/sign-in", "/page/static/page.css", "/page/static/page.js", "/page/static/page.svg")
EVERY = [
    *(("GET", place) for place in (*PLACES, *OPEN, "/page/log/events", "/page/nope")),
    *(("POST", f) for f in FORMS),
]
SCOPES = {
    "admin:plugins": ("/page/plugins/well", "/page/approvals", "/page/log", "/page/log/events", "/page/charts"),
    "tools:list": ("/page/tools", "/page/tools/well__echo"),
    "memory:read": ("/page/memories", "/page/memories/m"),
}
NEEDED = {
    "/page/plugins/well/switch/stop": "admin:plugins",
    "/page/plugins/well/rights": "admin:plugins",
    "/page/approvals": "admin:plugins",
    "/page/tools/well__echo": "tools:list",
    "/page/memories": "memory:write",
    "/page/memories/m/delete": "memory:write",
}
WORDS = ("tools:list", "tools:call", "memory:read", "memory:write", "admin:plugins")


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))


def is_a_page(answer: httpx2.Response) -> str:
    """The text of an answer that is a whole page, with its fences."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    found, text = elements(answer.text)
    assert [tag for tag, _ in found].count("h1") == 1 and ("html", {"lang": "en"}) in found
    return text


@requirement("page:fences")
@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_a_foreign_host_or_origin_is_refused_with_a_page_that_says_so(
    web: HttpServer, method: str, path: str
) -> None:
    async with person(web) as operator:
        for host in ("evil.example", f"evil.example:{web.port}", ""):
            refused = await operator.client.request(method, path, headers={"host": host})
            assert refused.status_code in (400, 421)
            if refused.status_code == 421:
                assert "[http] hosts" in is_a_page(refused)
        for origin in ("https://evil.example", "null", f"http://127.0.0.1:{web.port + 1}"):
            refused = await operator.client.request(method, path, headers={"origin": origin})
            assert refused.status_code == 403 and "foreign_origin" in is_a_page(refused)
        await operator.get("/")


@requirement("page:fences")
@pytest.mark.parametrize(("method", "path"), [entry for entry in EVERY if entry[1] not in OPEN])
async def test_nothing_is_shown_or_done_without_a_token_that_is_good(web: HttpServer, method: str, path: str) -> None:
    async with person(web, None) as visitor:
        await visitor.get("/page/sign-in")
        for header in (
            {},
            {"authorization": "Bearer agentmem_x_y"},
            {"cookie": f"agentmem-page-{web.port}={'A' * 43}"},
        ):
            refused = await visitor.client.request(method, path, headers=header)
            assert refused.status_code == 401 and refused.headers["www-authenticate"].startswith("Bearer ")
            assert "Sign in" in is_a_page(refused)
        program = await visitor.client.request(method, path, headers={"accept": "application/json"})
        assert (program.status_code, program.json()["code"]) == (401, "unauthorized")


@requirement("page:fences")
@pytest.mark.parametrize("scope", SCOPES)
async def test_a_token_without_the_scope_gets_a_page_that_names_it(web: HttpServer, scope: str) -> None:
    token = make_token(web.home, f"reader-but-{scope.replace(':', '-')}", *(set(WORDS) - {scope}))
    async with person(web, token) as somebody:
        menu = [about.get("href") for tag, about in elements(await somebody.get("/"))[0] if tag == "a"]
        for place in SCOPES[scope]:
            refused = await somebody.client.get(place)
            assert refused.status_code == 403 and scope in is_a_page(refused)
            assert "What to do" in refused.text and place not in menu


@requirement("page:fences")
@pytest.mark.parametrize("path", NEEDED)
async def test_a_form_without_the_scope_does_nothing(web: HttpServer, path: str) -> None:
    scope = NEEDED[path]
    token = make_token(web.home, f"writer-{list(NEEDED).index(path)}", *(set(WORDS) - {scope}))
    async with person(web, token) as somebody:
        refused = await somebody.send(path, FORMS[path])
        assert refused.status_code == 403 and scope in is_a_page(refused)


@requirement("page:fences")
async def test_calling_a_tool_needs_the_scope_of_calls(web: HttpServer) -> None:
    token = make_token(web.home, "lister", "tools:list", "plugin:else:call")
    async with person(web, token) as somebody:
        assert "well__echo" not in await somebody.get("/page/tools")
        assert "tool_not_found" in await somebody.get("/page/tools/well__echo", 404)
        assert (await somebody.send("/page/tools/well__echo", FORMS["/page/tools/well__echo"])).status_code == 404


@requirement("page:forms")
@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_another_page_does_nothing(web: HttpServer, path: str) -> None:
    async with person(web) as operator, person(web) as other:
        await operator.get("/")
        stolen = re.search(r'name="form_token" value="(\w+)"', await other.get("/"))
        assert stolen
        for proof in ({}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": stolen[1]}, {"form_token": "é"}):
            refused = await operator.client.post(path, data={**FORMS[path], **proof})
            assert refused.status_code == 403 and "form_refused" in is_a_page(refused), proof
        bare = await operator.client.post(path)
        assert bare.status_code == 403
        assert "Stopped" not in await operator.get("/page/plugins/well")
        await other.get("/")


@requirement("page:forms")
async def test_a_page_that_may_call_the_server_may_not_send_it_forms(stage: Path, tmp_path: Path) -> None:
    friend = "https://app.example.com"
    async with http_server(stage, home=tmp_path, settings={"origins": [friend]}) as server, person(server) as operator:
        good = {"form_token": re.findall(r'"form_token" value="(\w+)"', await operator.get("/"))[0]}
        refused = await operator.client.post("/page/plugins/well/switch/stop", data=good, headers={"origin": friend})
        assert refused.status_code == 403 and "form_refused" in refused.text
        own = {"origin": server.url}
        assert (await operator.client.post("/page/plugins/well/switch/stop", data=good, headers=own)).status_code == 303


@requirement("page:fences")
async def test_forms_that_are_too_long_of_another_type_or_no_text_are_refused(web: HttpServer) -> None:
    async with person(web) as operator:
        await operator.get("/")
        long = await operator.send("/page/memories", {"content": "x" * MOST_FORM_BYTES})
        assert long.status_code == 413 and "What to do" in is_a_page(long)
        for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
            wrong = await operator.client.post("/page/memories", content=b"{}", headers={"content-type": kind})
            assert wrong.status_code == 415 and "unsupported_media_type" in is_a_page(wrong)
        form = {"content-type": "application/x-www-form-urlencoded"}
        for body in (b"\xff", b"form_token=%ff", b"a=1&" * 1_000):
            assert (await operator.client.post("/page/memories", content=body, headers=form)).status_code == 403


@requirement("page:fences")
async def test_a_visitor_and_a_person_have_their_share_of_requests(stage: Path, tmp_path: Path) -> None:
    settings = {"requests_per_second": 0.001, "burst": 12}
    async with http_server(stage, home=tmp_path, settings=settings) as server:
        async with person(server) as operator:
            statuses = [(await operator.client.get("/page/tools")).status_code for _ in range(14)]
            assert statuses[0] == 200 and statuses[-1] == 429
            assert "too_many_requests" in is_a_page(await operator.client.get("/page/tools"))
        async with person(server, None) as visitor:
            statuses = [(await visitor.client.get("/page/static/page.css")).status_code for _ in range(14)]
            assert (statuses[0], statuses[-1]) == (200, 429)


@requirement("page:fences")
async def test_what_is_not_there_is_a_page_too(web: HttpServer) -> None:
    async with person(web) as operator:
        for path in (
            "/page/nope",
            "/page/plugins/none",
            "/page/tools/none",
            "/page/memories/none",
            "/page/",
            "/page/static/x",
        ):
            answer = await operator.client.get(path)
            if answer.status_code != 200:
                assert answer.status_code == 404 and "What to do" in is_a_page(answer), path
        wrong = await operator.client.post("/page/log", data={})
        assert wrong.status_code == 405 and "method_not_allowed" in is_a_page(wrong)
        assert (await operator.send("/page/plugins/well/switch/explode")).status_code == 404


@requirement("page:fences")
async def test_a_failure_that_nobody_foresaw_is_a_page_and_still_raised(tmp_path: Path) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await problem(500, "internal", "the server failed; its log says how")(scope, receive, send)
        raise RuntimeError("nobody foresaw this")

    door = BrowserDoor(SignIns(tmp_path, 1, 1), Pages())
    transport = httpx2.ASGITransport(door.dressed(fails), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answered = await client.get("/page/log", headers={"accept": "text/html"})
    assert answered.status_code == 500 and "The server's log says what failed" in is_a_page(answered)
    raising = httpx2.ASGITransport(door.dressed(fails))
    async with httpx2.AsyncClient(transport=raising, base_url="http://127.0.0.1") as client:
        with pytest.raises(RuntimeError, match="nobody foresaw"):
            await client.get("/page/log", headers={"accept": "text/html"})


@requirement("page:policy")
async def test_every_page_is_fenced_in_and_asks_for_nothing_from_elsewhere(web: HttpServer) -> None:
    async with person(web) as operator:
        for place in (*PLACES, "/page/sign-in"):
            answer = await operator.client.get(place)
            is_a_page(answer)
            for tag, about in elements(answer.text)[0]:
                assert tag not in ("style", "iframe", "object", "embed", "base")
                assert not [name for name in about if name.startswith("on") or name == "style"], (place, tag, about)
                for name in ("src", "href", "action"):
                    assert (about.get(name) or "/").startswith(("/", "#")), (place, tag, about)
                if tag == "script":
                    assert (about.get("src") or "").startswith("/page/static/page.js?v=")
        for name in OPEN[1:]:
            file = await operator.client.get(name)
            assert file.status_code == 200 and file.headers["x-content-type-options"] == "nosniff"
            assert "http" not in file.text.replace("http://www.w3.org/2000/svg", "")

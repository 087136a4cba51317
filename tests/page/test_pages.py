"""What an operator reads and does on the pages, in a browser that runs no scripts."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.commands import answer, run
from tests.flows import bodies
from tests.guests import ECHO, answers, module, write_plugin
from tests.http_server import HttpServer, http_server
from tests.page.conftest import elements, make_token, person
from tests.requirements import requirement

EVIL = """"'><img src=x onerror=alert(1)><script>alert(2)</script></textarea></title>{{ 7*7 }}"""
TOML_EVIL = json.dumps(EVIL)
LOGS = '[capabilities]\nrequired = ["LoggingAccess"]\n'
HOSTILE = f"""{LOGS}
[[tools]]
function = "run"
title = {TOML_EVIL}
description = {TOML_EVIL}
input_schema = {{ type = "object", properties = {{ {TOML_EVIL} = {{ type = "string", title = {TOML_EVIL}, \
description = {TOML_EVIL}, enum = [{TOML_EVIL}], default = {TOML_EVIL} }}, message = {{ type = "string" }}, \
level = {{ type = "string" }} }} }}
"""
ASKS = """[capabilities]
required = ["StorageAccess"]
optional = ["NetworkAccess", "FileSystemAccess", "MemoryAccess"]
[network]
allow = ["https://api.example.com/*", "https://other.example.com/v1/*"]
[filesystem]
allow = [{ path = "notes", mode = "write" }]
[[tools]]
function = "echo"
description = "Answers with what it is given"
"""
FORM = """[[tools]]
function = "echo"
description = "Echo"
[tools.input_schema]
type = "object"
required = ["text"]
additionalProperties = false
[tools.input_schema.properties]
text = { type = "string", title = "The text" }
many = { type = "integer" }
share = { type = "number" }
loud = { type = "boolean" }
kind = { enum = ["a", 2, true] }
list = { type = "array", description = "Anything" }
"""


def fill(folder: Path) -> None:
    write_plugin(folder, "well", module(ECHO))
    write_plugin(folder, "form", module(ECHO), FORM)
    write_plugin(folder, "asks", module(ECHO), ASKS)
    write_plugin(folder, "fails", bodies.guest_error(EVIL))
    write_plugin(folder, "says", answers(EVIL))
    header = f"description = {TOML_EVIL}\nauthor = {TOML_EVIL}"
    write_plugin(folder, "hostile", bodies.asks("log"), HOSTILE, header)
    write_plugin(folder, "broken", module(ECHO), header=f"{TOML_EVIL} = 1")


def shown_as_text(html: str) -> bool:
    """Whether EVIL stands there as text, and nothing of it as an element."""
    found, text = elements(html)
    assert "img" not in {tag for tag, _ in found}
    assert [about.get("src", "")[:21] for tag, about in found if tag == "script"] == ["/page/static/page.js?"]  # type: ignore[index]  # pyright: ignore[reportOptionalSubscript]
    assert not [about for _, about in found if {name for name in about if name.startswith("on")}]
    return EVIL in text


# --- hostile text -------------------------------------------------------------------------------------------------


@requirement("page:hostile-text")
async def test_markup_in_whatever_a_plugin_says_is_shown_as_text(web: HttpServer) -> None:
    async with person(web) as operator:
        assert shown_as_text(await operator.get("/page/plugins/hostile"))
        assert shown_as_text(await operator.get("/page/tools/hostile__run"))
        shown_as_text(await operator.get("/page/tools"))
        shown_as_text(await operator.get("/"))
        assert "onerror" in elements(await operator.get("/page/plugins/broken"))[1]
        called = await operator.send("/page/tools/says__run", {"how": "json", "json": "{}"})
        assert called.status_code == 200 and shown_as_text(called.text)
        failed = await operator.send("/page/tools/fails__run", {"how": "json", "json": "{}"})
        assert failed.status_code == 502 and shown_as_text(failed.text)


@requirement("page:hostile-text")
async def test_markup_in_a_line_that_a_plugin_logs_is_shown_as_text(web: HttpServer) -> None:
    async with person(web) as operator:
        await operator.get("/page/tools/hostile__run")
        line = json.dumps({"message": EVIL, "level": "error", "fields": {EVIL: EVIL, "api_key": "sk-12345"}})
        logged = await operator.send("/page/tools/hostile__run", {"how": "json", "json": line})
        assert logged.status_code in (200, 422), logged.text
        sent = await operator.send("/page/tools/hostile__run", {"how": "json", "json": f'{{"message": {TOML_EVIL}}}'})
        assert sent.status_code == 200
        html = await operator.get("/page/log")
        assert shown_as_text(html) and "sk-12345" not in html


@requirement("page:hostile-text")
async def test_markup_in_memories_addresses_and_forms_is_shown_as_text(web: HttpServer) -> None:
    token = make_token(web.home, "rememberer", "memory:read", "memory:write")
    async with person(web, token) as somebody:
        await somebody.get("/page/memories")
        assert shown_as_text(await somebody.done("/page/memories", {"content": EVIL, "type": "core"}))
        found = await somebody.client.get("/page/memories", params={"q": EVIL, "explain": "1", "mode": "lexical"})
        assert shown_as_text(found.text)
        [place] = re.findall(r'href="(/page/memories/[\w-]+)"', found.text)
        assert shown_as_text(await somebody.get(place))
        for odd in (
            {"cursor": EVIL},
            {"type": EVIL},
            {"q": "x", "mode": EVIL},
            {"said": EVIL},
            {"q": "a", "type": EVIL},
        ):
            answered = await somebody.client.get("/page/memories", params=odd)
            assert answered.status_code in (200, 422), odd
            shown_as_text(answered.text)
    async with person(web) as operator:
        for path in (
            "/page/plugins/%22%3E%3Cimg%20src=x%3E",
            "/page/tools/%3Cscript%3E",
            "/page/%3Cimg%3E?x=%3Cimg%3E",
        ):
            shown_as_text(await operator.get(path, 404))
        await operator.get("/")
        for form in ({"kind": EVIL, "name": EVIL}, {"kind": "folder", "name": EVIL, "folder": EVIL}):
            refused = await operator.send("/page/plugins/asks/rights", {**form, "does": "grant"})
            assert refused.status_code == 422
            shown_as_text(refused.text)


@requirement("page:hostile-text")
async def test_what_turns_the_direction_of_text_or_hides_it_is_made_visible(web: HttpServer) -> None:
    async with person(web, make_token(web.home, "turned", "memory:read", "memory:write")) as somebody:
        await somebody.get("/page/memories")
        html = await somebody.done("/page/memories", {"content": "safe \u202eexe.gpj\u202c \u001b[2J \u200bhidden"})
        assert "safe \\u202eexe.gpj\\u202c \\u001b[2J \\u200bhidden" in html


# --- plugins ------------------------------------------------------------------------------------------------------


@requirement("page:plugins")
@requirement("page:no-script")
async def test_every_plugin_stands_with_its_state_and_why_it_is_held_back(web: HttpServer) -> None:
    async with person(web) as operator:
        text = " ".join(elements(await operator.get("/"))[1].split())
        assert re.search(r"well (Loaded|Running) trusted 0\.1\.0 Custom 1", text)
        assert re.search(r"asks Error \w+ [\d.-]+ .* requires StorageAccess, which is not granted", text)
        assert "What to do: run `agentmem-mcp plugin grant asks StorageAccess`" in text
        assert "manifest_invalid" in text
        assert "agentmem-mcp plugin grant asks StorageAccess" in await operator.get("/page/plugins/asks")


@requirement("page:plugins")
async def test_a_plugin_is_stopped_started_restarted_and_reloaded(web: HttpServer) -> None:
    async with person(web) as operator:
        await operator.get("/page/plugins/well")
        place = "/page/plugins/well/switch"
        html = await operator.done(f"{place}/stop")
        assert "The plugin was stopped" in html and "Stopped</span>" in html and f"{place}/start" in html
        again = await operator.send(f"{place}/stop")
        assert again.status_code == 409 and "lifecycle_invalid" in again.text
        assert "The plugin was started" in await operator.done(f"{place}/start")
        assert "loaded anew" in await operator.done(f"{place}/restart")
        assert "read again" in await operator.done(f"{place}/reload")
        rows = answer(web.home, "audit", "show", "--plugin", "well")["rows"]
        assert [row["function"] for row in rows if row["event"] == "managed"][-4:] == [
            "stop",
            "start",
            "restart",
            "reload",
        ]


# --- rights -------------------------------------------------------------------------------------------------------


def rights(html: str) -> dict[str, list[str]]:
    """The table of rights: name -> requested, granted, in force."""
    rows = re.findall(
        r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>\s*<td>(.*?)</td>\s*<td>(yes|no)</td>', html, re.DOTALL
    )
    return {elements(name)[1].split()[-1]: [elements(cell)[1] for cell in cells] for name, *cells in rows}


@requirement("page:rights")
async def test_what_is_asked_for_stands_beside_what_is_granted_and_changes_with_a_click(
    stage: Path, tmp_path: Path
) -> None:
    async with http_server(stage, home=tmp_path) as server, person(server) as operator:
        place = "/page/plugins/asks"
        before = rights(await operator.get(place))
        assert before["StorageAccess"] == ["required", "–", "no"]
        assert before["MemoryAccess"] == ["optional", "by default", "yes"]
        assert before["https://api.example.com/*"] == ["requested", "–", "no"]
        assert before["notes"] == ["write", "–", "no"]

        async def click(does: str, kind: str, name: str, **more: str) -> dict[str, list[str]]:
            return rights(await operator.done(f"{place}/rights", {"does": does, "kind": kind, "name": name, **more}))

        assert (await click("grant", "capability", "StorageAccess"))["StorageAccess"] == ["required", "granted", "yes"]
        html = await operator.get(place)
        assert "Loaded</span>" in html and 'href="/page/tools/asks__echo"' in html
        one = await click("grant", "host", "https://api.example.com/*")
        assert one["https://api.example.com/*"] == ["requested", "granted", "yes"]
        assert one["https://other.example.com/v1/*"] == ["requested", "–", "no"]
        assert one["NetworkAccess"] == ["optional", "granted", "yes"]
        none = await click("revoke", "host", "https://api.example.com/*")
        assert none["https://api.example.com/*"] == ["requested", "–", "no"]
        both = await click("grant", "capability", "NetworkAccess")
        assert both["https://other.example.com/v1/*"] == ["requested", "granted", "yes"]
        (tmp_path / "notes").mkdir()
        folder = await click("grant", "folder", "notes", folder=str(tmp_path / "notes"), mode="write")
        assert folder["notes"] == ["write", f"{tmp_path / 'notes'} (write)", "yes"]
        assert (await click("revoke", "folder", "notes"))["notes"] == ["write", "–", "no"]
        denied = await click("revoke", "capability", "MemoryAccess")
        assert denied["MemoryAccess"] == ["optional", "denied", "no"]
        assert (await click("grant", "capability", "MemoryAccess"))["MemoryAccess"] == ["optional", "by default", "yes"]
        gone = await click("revoke", "capability", "StorageAccess")
        assert gone["StorageAccess"] == ["required", "–", "no"]
        assert "Error</span>" in await operator.get(place)
        again = await operator.done(
            f"{place}/rights", {"does": "revoke", "kind": "capability", "name": "StorageAccess"}
        )
        assert "Nothing had to be changed" in again
        managed = [row for row in answer(tmp_path, "audit", "show")["rows"] if row["event"] == "managed"]
        assert (managed[0]["principal"], managed[0]["function"]) == ("local", "grant")
        assert managed[0]["target"] == "capability StorageAccess"


@requirement("page:rights")
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"kind": "capability", "name": "Everything"},
        {"kind": "folder", "name": "notes", "folder": "relative"},
        {"kind": "folder", "name": "notes", "folder": "/nowhere/at/all"},
        {"kind": "folder", "name": "no/tes", "folder": "/"},
        {"kind": "folder", "name": "notes", "folder": "/", "mode": "execute"},
        {"kind": "host", "name": "not a pattern"},
        {"kind": "host", "name": ""},
        {"kind": "alias", "name": ""},
        {"kind": "what", "name": "x"},
        {"does": "revoke", "kind": "capability", "name": "Everything"},
    ],
)
async def test_what_cannot_be_granted_changes_nothing(web: HttpServer, form: dict[str, str]) -> None:
    async with person(web) as operator:
        before = rights(await operator.get("/page/plugins/asks"))
        refused = await operator.send("/page/plugins/asks/rights", {"does": "grant", **form})
        assert refused.status_code == 422 and "What to do" in refused.text
        assert rights(await operator.get("/page/plugins/asks")) == before


# --- approvals ----------------------------------------------------------------------------------------------------


def tool(description: str, more: str = "") -> str:
    return f'{more}\n[[tools]]\nfunction = "run"\ndescription = {json.dumps(description)}\n'


@requirement("page:approvals")
async def test_a_change_is_shown_line_by_line_and_exactly_that_is_approved(tmp_path: Path) -> None:
    installed = tmp_path / "data" / "plugins"
    write_plugin(installed, "mine", answers("one"), tool("Says one"))
    assert run(tmp_path, "tool", "call", "mine__run").returncode == 0
    write_plugin(installed, "mine", answers("two"), tool(f"Says two {EVIL}", LOGS))
    async with http_server(home=tmp_path) as server, person(server) as operator:
        html = await operator.get("/page/approvals")
        rows = re.findall(r'<tr class="(out|in)">.*?<bdi>(.*?)</bdi>.*?<bdi>(.*?)</bdi>', html, re.DOTALL)
        assert ("out", "tool mine__run description", "&#34;Says one&#34;") in rows
        assert [row for row in rows if row[:2] == ("in", "tool mine__run description") and "Says two" in row[2]]
        assert ("in", "grants", "allow LoggingAccess") in rows
        assert shown_as_text(html.replace("\\&#34;", "&#34;"))
        assert '1<span class="unseen"> waiting' in html
        seen = re.findall(r'name="seen" value="(\w+)"', html)[0]

        write_plugin(installed, "mine", answers("three"), tool("Says three"))
        await operator.done("/page/plugins/mine/switch/reload")
        late = await operator.send("/page/approvals", {"plugin": "mine", "seen": seen})
        assert late.status_code == 409 and "changed again after it was shown" in late.text
        assert (await operator.send("/page/approvals", {"plugin": "mine"})).status_code == 422

        seen = re.findall(r'name="seen" value="(\w+)"', await operator.get("/page/approvals"))[0]
        done = await operator.done("/page/approvals", {"plugin": "mine", "seen": seen})
        assert "Nothing waits for an approval" in done
        called = await operator.send("/page/tools/mine__run", {"how": "json", "json": "{}"})
        assert "three" in called.text
        assert answer(tmp_path, "plugin", "show", "mine")["approval"]["approved_by"] == "local"


@requirement("page:approvals")
async def test_a_plugin_that_was_never_approved_shows_all_that_it_would_get(tmp_path: Path) -> None:
    write_plugin(tmp_path / "data" / "plugins", "mine", answers("one"), tool("Says one", LOGS))
    environment = {"AGENTMEM_APPROVAL__MODE": "required"}
    async with http_server(home=tmp_path, environment=environment) as server, person(server) as operator:
        text = elements(await operator.get("/page/approvals"))[1]
        assert "Never approved" in text and "LoggingAccess" in text and "mine__run" in text


# --- tools --------------------------------------------------------------------------------------------------------


async def call(server: HttpServer, form: dict[str, str]) -> tuple[int, str]:
    async with person(server) as operator:
        await operator.get("/page/tools/form__echo")
        called = await operator.send("/page/tools/form__echo", form)
        return called.status_code, called.text


def given(html: str) -> Any:
    [found] = re.findall(r'aria-label="Answer, as text">(.*?)</pre>', html, re.DOTALL)
    return json.loads(elements(f"<p>{found}")[1])


@requirement("page:tools")
@requirement("page:no-script")
async def test_a_form_is_made_of_the_schema_and_its_fields_become_arguments(web: HttpServer) -> None:
    async with person(web) as operator:
        found = elements(await operator.get("/page/tools/form__echo"))[0]
        kinds = {about["name"]: tag for tag, about in found if (about.get("name") or "").startswith("argument.")}
        assert kinds == {
            "argument.text": "textarea",
            "argument.many": "input",
            "argument.share": "input",
            "argument.loud": "select",
            "argument.kind": "select",
            "argument.list": "textarea",
        }
    filled = {"text": 'a\r\n"b"', "many": "3", "share": "1e-3", "loud": "false", "kind": "2", "list": "[1, {}]"}
    status, html = await call(web, {"how": "fields", **{f"argument.{name}": value for name, value in filled.items()}})
    assert status == 200, html
    assert given(html) == {"text": 'a\n"b"', "many": 3, "share": 0.001, "loud": False, "kind": 2, "list": [1, {}]}
    status, html = await call(web, {"how": "fields", "argument.text": "", "argument.many": ""})
    assert (status, given(html)) == (200, {"text": ""})


@requirement("page:tools")
@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("many", "3.5", "this is not a whole number"),
        ("many", "three", "this is not a whole number"),
        ("share", "NaN", "this is not a number"),
        ("list", "[1", "this is not JSON"),
        ("list", "[" * 50_000, "this is not JSON"),
    ],
)
async def test_a_field_that_cannot_be_read_is_pointed_at_and_keeps_what_was_written(
    web: HttpServer, name: str, value: str, why: str
) -> None:
    status, html = await call(web, {"how": "fields", "argument.text": "kept", f"argument.{name}": value})
    assert status == 422 and f"{why}." in html and "kept</textarea>" in html and 'aria-invalid="true"' in html


@requirement("page:tools")
async def test_arguments_are_written_as_json_too_and_judged_by_the_schema(web: HttpServer) -> None:
    status, html = await call(web, {"how": "json", "json": '{"text": "hi", "many": 2}'})
    assert (status, given(html)) == (200, {"text": "hi", "many": 2})
    for text in ("", "[]", "{", '"x"', "[" * 5_000):
        status, html = await call(web, {"how": "json", "json": text})
        assert status == 422 and "Not called: the arguments are" in html, text
    status, html = await call(web, {"how": "json", "json": '{"wrong": 1}'})
    assert status == 422 and "invalid_arguments" in html


# --- memories -----------------------------------------------------------------------------------------------------


@requirement("page:memories")
async def test_memories_are_added_browsed_found_explained_and_deleted(web: HttpServer) -> None:
    token = make_token(web.home, "ann", "memory:read", "memory:write")
    other = make_token(web.home, "bob", "memory:read")
    async with person(web, token) as ann, person(web, other) as bob:
        html = await ann.get("/page/memories")
        for number in range(30):
            html = await ann.done("/page/memories", {"content": f"The zebra {number} eats grass", "type": "episodic"})
        assert "The memory was stored" in html and html.count('class="content"') == 25
        older = re.findall(r'href="(/page/memories\?cursor=[^"]+)"', html)[0].replace("&amp;", "&")
        assert (await ann.get(older)).count('class="content"') == 5
        assert "There is none" in await ann.get("/page/memories?type=core")
        again = await ann.done("/page/memories", {"content": "The zebra 7 eats grass", "type": "episodic"})
        assert "there already" in again
        found = await ann.get("/page/memories?q=zebra+7&mode=lexical&explain=1")
        first = found.partition("<ol")[2].partition("</li>")[0]
        assert "The zebra 7 eats grass" in first and "BM25" in first and "by words" in first
        place = re.findall(r'href="(/page/memories/[\w-]+)"', first)[0]
        assert "BM25" not in await ann.get("/page/memories?q=zebra+7&mode=lexical")
        assert "episodic" in await ann.get(place)
        assert "zebra" not in await bob.get("/page/memories")
        await bob.get(place, 404)
        assert (await bob.send(f"{place}/delete")).status_code == 403
        assert "The memory was deleted" in await ann.done(f"{place}/delete")
        await ann.get(place, 404)
        empty = await ann.send("/page/memories", {"content": "  ", "type": "episodic"})
        assert empty.status_code == 422 and "What to do" in empty.text


# --- log and charts -----------------------------------------------------------------------------------------------


@requirement("page:live")
@requirement("page:no-script")
async def test_calls_and_changes_stand_in_the_log_and_come_as_a_stream(web: HttpServer) -> None:
    async with person(web) as operator:
        await operator.get("/page/tools/well__echo")
        await operator.send("/page/tools/well__echo", {"how": "json", "json": "{}"})
        html = await operator.get("/page/log")
        text = " ".join(re.sub("<[^>]*>", " ", html).split())
        assert re.search(r"call well well__echo for local in [\d.]+ ms ok", text)
        address = re.findall(r'data-events="([^"]+)"', html)[0]
        wanted = {"accept": "text/event-stream"}
        with anyio.fail_after(20):
            async with operator.client.stream("GET", address, headers=wanted) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                lines = stream.aiter_lines()
                assert (await anext(lines)).startswith(": listening")
                async with person(web) as other:
                    await other.get("/page/tools/well__echo")
                    await other.send("/page/tools/well__echo", {"how": "json", "json": '{"n": 1}'})
                told = json.loads(await _next_data(lines))
        assert (told["plugin"], told["outcome"], told["bad"]) == ("well", "ok", False)


async def _next_data(lines: AsyncIterator[str]) -> str:
    async for line in lines:
        if line.startswith("data:"):
            return line.removeprefix("data:")
    raise AssertionError("the stream ended")


@requirement("page:live")
async def test_the_stream_ends_with_the_session(stage: Path, tmp_path: Path) -> None:
    settings = {"recheck_seconds": 0.05}
    async with http_server(stage, home=tmp_path, settings=settings) as server, person(server) as operator:
        with anyio.fail_after(20):
            async with operator.client.stream("GET", "/page/log/events") as stream:
                lines = stream.aiter_lines()
                assert (await anext(lines)).startswith(": listening")
                await operator.send("/page/sign-out")
                assert [line async for line in lines if line.startswith("data:")] == []


@requirement("page:live")
@requirement("page:no-script")
async def test_the_charts_tell_calls_times_and_memory_in_pictures_and_in_words(web: HttpServer) -> None:
    async with person(web) as operator:
        await operator.get("/page/tools/well__echo")
        for _ in range(3):
            await operator.send("/page/tools/well__echo", {"how": "json", "json": "{}"})
        html = await operator.get("/page/charts")
        labels = [about["aria-label"] or "" for tag, about in elements(html)[0] if tag == "svg"]
        assert [label.partition(":")[0] for label in labels] == [
            "Calls in 10 seconds",
            "Time of a call, in milliseconds",
            "Memory of the workers, in MiB",
        ]
        assert int(re.findall(r"(\d+) calls", labels[0])[0]) >= 3
        assert re.search(r"[1-9]\d* workers? holds? [\d.]+ MiB now", labels[2])
        assert html.count('class="bar all"') >= 1 and 'class="line p95" points="' in html

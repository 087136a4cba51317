"""Ten things that an operator does, in Chromium, with scripts; each must work without a complaint of the browser."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import anyio
import pytest
from playwright.async_api import Browser

from tests.admin.conftest import API
from tests.http_server import HttpServer
from tests.page.chromium import Shots, chromium, visit
from tests.page.chromium import shop as open_shop
from tests.page.conftest import sessions
from tests.requirements import requirement

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

CALLS = (
    ("hello", "hello", {"message": "world"}),
    ("hello", "hello", {"wrong": 1}),
    ("hello-c", "hello", {"message": "C"}),
)
MEMORIES = (
    "The deploy key of the staging cluster is rotated on the first Monday of a month.",
    "Maria prefers summaries of at most five lines, with the decision first.",
    "The zebra crossing plugin was replaced by traffic-signs in version 0.4.",
    "Backups of the store run at 02:00 UTC and are kept for 30 days.",
    "Error 7 of the import means that a line is no JSON; see docs/memory.md.",
)


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    async with open_shop(tmp_path_factory.mktemp("home")) as server:
        async with server.client() as client:
            for content in MEMORIES:
                added = await client.post(f"{API}/memories", json={"content": content, "memory_type": "semantic"})
                assert added.status_code == 201
        yield server


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def shots(request: pytest.FixtureRequest) -> Shots:
    return Shots(request.config.getoption("--screenshots"))


async def call(server: HttpServer, rounds: int = 1) -> None:
    """Calls as a program makes them."""
    async with server.client() as client:
        for _ in range(rounds):
            for plugin, function, arguments in CALLS:
                answered = await client.post(f"{API}/plugins/{plugin}/call/{function}", json=arguments)
                assert answered.status_code == (422 if "wrong" in arguments else 200)


@requirement("page:operator")
async def test_1_signs_in_with_the_token_of_the_machine(browser: Browser, shop: HttpServer, shots: Shots) -> None:
    async with visit(browser, shop, signed_in=False) as page:
        await page.goto("/page/tools")
        assert await page.evaluate("document.activeElement.id") == "token"
        await shots.take(page, "sign-in")
        await page.keyboard.type("agentmem_local_wrong")
        await page.keyboard.press("Enter")
        await page.get_by_role("alert").wait_for()
        await page.get_by_label("Token").fill(shop.token)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/page/tools")
        assert await page.get_by_role("link", name="hello__hello", exact=True).count() == 1
        assert await page.evaluate("document.cookie") == ""


@requirement("page:operator")
async def test_2_sees_why_a_plugin_is_held_back(browser: Browser, shop: HttpServer, shots: Shots) -> None:
    async with visit(browser, shop) as page:
        await page.get_by_text("requires StorageAccess, which is not granted").wait_for()
        await page.get_by_text("agentmem-mcp plugin grant bookmarks StorageAccess").first.wait_for()
        await shots.take(page, "plugins")
        await page.get_by_role("link", name="bookmarks", exact=True).click()
        assert "Error" in await page.get_by_role("heading", level=1).inner_text()
        await shots.take(page, "rights")


@requirement("page:operator")
async def test_3_grants_what_it_asks_for_and_it_serves(browser: Browser, shop: HttpServer) -> None:
    async with visit(browser, shop) as page:
        await page.goto("/page/plugins/bookmarks")
        await page.get_by_role("button", name="Grant StorageAccess").click()
        await page.get_by_role("status").get_by_text("Granted").wait_for()
        await page.get_by_role("button", name="Grant https://api.example.com/*").click()
        await page.get_by_label("Folder of this machine for notes").fill(str(shop.home))
        await page.get_by_role("button", name="Grant notes").click()
        await page.get_by_role("button", name="Revoke notes").wait_for()
        assert "Error" not in await page.get_by_role("heading", level=1).inner_text()
        configured = (shop.home / "config" / "config.toml").read_text(encoding="utf-8")
        assert "StorageAccess" in configured and "https://api.example.com/*" in configured


@requirement("page:operator")
async def test_4_takes_a_right_away_and_stops_and_starts_a_plugin(browser: Browser, shop: HttpServer) -> None:
    async with visit(browser, shop) as page:
        await page.goto("/page/plugins/bookmarks")
        await page.get_by_role("button", name="Revoke NetworkAccess").click()
        await page.get_by_role("button", name="Grant NetworkAccess").wait_for()
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Start").click()
        await page.get_by_role("status").get_by_text("The plugin was started").wait_for()


@requirement("page:operator")
async def test_5_tries_a_tool_with_the_form_of_its_schema(browser: Browser, shop: HttpServer, shots: Shots) -> None:
    async with visit(browser, shop) as page:
        await page.goto("/page/tools/hello__hello")
        await page.locator('[name="argument.message"]').fill("an operator")
        await page.get_by_role("button", name="Call it").click()
        answer = page.get_by_role("region", name="Answer, as text")
        await answer.get_by_text("an operator").wait_for()
        await shots.take(page, "tool")
        await page.get_by_text("Write the arguments as JSON").click()
        await page.get_by_label("Arguments").fill('{"wrong": 1}')
        await page.get_by_role("button", name="Call with this JSON").click()
        await page.get_by_text("invalid_arguments").wait_for()
        await page.goto("/page/tools/stranger__run")
        assert await page.locator("main img, main script").count() == 0


@requirement("page:operator")
async def test_6_watches_the_log_while_things_happen(browser: Browser, shop: HttpServer, shots: Shots) -> None:
    async with visit(browser, shop, "dark") as page:
        await page.goto("/page/log")
        await page.get_by_text("Live: new lines come by themselves").wait_for()
        slugs = page.locator("#log tr").filter(has_text="hello-c__hello")
        before = await slugs.count()
        await call(shop, 2)
        await slugs.nth(before + 1).wait_for()
        assert await page.locator("#log tr.bad-row").get_by_text("invalid_arguments").count() >= 1
        await shots.take(page, "log")


@requirement("page:operator")
async def test_7_reads_the_charts_which_go_on_by_themselves(browser: Browser, shop: HttpServer, shots: Shots) -> None:
    async with visit(browser, shop) as page:
        await page.goto("/page/charts")
        chart = page.get_by_role("img", name=re.compile("^Calls in 10 seconds"))
        before = await chart.get_attribute("aria-label")
        for number in range(9 if shots.folder else 1):  # steps of ten seconds, for the picture
            await call(shop, 1 + number % 5)
            await anyio.sleep(10 if shots.folder else 0)
        await page.wait_for_function(
            "old => document.querySelector('svg').getAttribute('aria-label') !== old", arg=before
        )
        await shots.take(page, "charts")


@requirement("page:operator")
async def test_8_adds_a_memory_and_finds_it_with_the_reason(browser: Browser, shop: HttpServer, shots: Shots) -> None:
    async with visit(browser, shop, "dark") as page:
        await page.goto("/page/memories")
        await page.get_by_label("What to remember").fill("Zebras are counted on Fridays, by the operator on duty.")
        await page.get_by_role("button", name="Store").click()
        await page.get_by_role("status").get_by_text("The memory was stored").wait_for()
        await page.get_by_label("Question").fill("counting zebras")
        await page.get_by_label("explain").check()
        await page.keyboard.press("Enter")
        first = page.get_by_role("listitem").filter(has_text="Zebras are counted").first
        assert "BM25" in await first.inner_text()
        await shots.take(page, "memories")
        await first.get_by_role("link", name="open").click()
        await page.get_by_text("Delete it").click()
        await page.get_by_role("button", name="Delete for good").click()
        await page.get_by_role("status").get_by_text("The memory was deleted").wait_for()


@requirement("page:operator")
async def test_9_reads_what_changed_in_a_plugin_and_approves_it(
    browser: Browser, shop: HttpServer, shots: Shots
) -> None:
    async with visit(browser, shop) as page:
        await page.get_by_role("link", name="Approvals 1 waiting").click()
        await page.get_by_text("First call memory__list").first.wait_for()
        await shots.take(page, "approvals")
        await page.get_by_role("button", name="Approve word-list").click()
        await page.get_by_text("Nothing waits for an approval").wait_for()
        async with shop.client() as client:
            shown = (await client.get(f"{API}/plugins/word-list")).json()
        assert (shown["approval"], shown["details"]["approved_by"]) == ("approved", "local")


@requirement("page:operator")
async def test_10_signs_out_and_is_out(browser: Browser, shop: HttpServer) -> None:
    async with visit(browser, shop) as page:
        before = len(sessions(shop.home))
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_text("You are signed out").wait_for()
        assert len(sessions(shop.home)) == before - 1
        await page.goto("/")
        await page.get_by_label("Token").wait_for()


@requirement("page:operator")
async def test_all_of_it_is_reached_with_the_keyboard(browser: Browser, shop: HttpServer) -> None:
    async with visit(browser, shop) as page:
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.querySelector('main').contains(document.activeElement)")
        for place in ("/", "/page/plugins/bookmarks", "/page/tools/hello__hello", "/page/memories"):
            await page.goto(place)
            reached = await page.evaluate(_FOCUSABLE)
            seen: list[str] = []
            for _ in range(reached + 3):
                await page.keyboard.press("Tab")
                seen.append(json.dumps(await page.evaluate("document.activeElement.outerHTML.slice(0, 300)")))
            assert len(set(seen)) >= reached * 0.9, place


_FOCUSABLE = """() => {
  const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const all = [...document.querySelectorAll(kinds)];
  return all.filter((one) => one.checkVisibility()).length;
}"""


@requirement("page:operator")
async def test_without_scripts_the_pages_say_the_same(browser: Browser, shop: HttpServer) -> None:
    context = await browser.new_context(base_url=shop.url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_label("Token").fill(shop.token)
    await page.get_by_role("button", name="Sign in").click()
    for place in ("/page/log", "/page/charts", "/page/approvals", "/page/memories", "/page/plugins/hello"):
        await page.goto(place)
        assert await page.get_by_role("heading", level=1).count() == 1
    await page.goto("/page/tools/hello__hello")
    await page.locator('[name="argument.message"]').fill("no script")
    await page.get_by_role("button", name="Call it").click()
    await page.get_by_role("region", name="Answer, as text").get_by_text("no script").wait_for()
    await context.close()

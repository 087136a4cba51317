"""Every page against the rules of axe, light and dark, at a desk and on a phone, and none wider than its window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from axe_playwright_python.async_playwright import Axe  # pyright: ignore[reportMissingTypeStubs]
from playwright.async_api import Browser, Page

from tests.http_server import HttpServer
from tests.page.chromium import DESK, PHONE, Shots, Theme, visit
from tests.page.test_browser import browser, call, shop, shots
from tests.requirements import requirement

__all__ = ["browser", "shop", "shots"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PLACES = (
    "/",
    "/page/plugins/bookmarks",
    "/page/plugins/hello",
    "/page/approvals",
    "/page/tools",
    "/page/tools/hello__hello",
    "/page/tools/memory__add",
    "/page/tools/datasource__fetch_data",
    "/page/memories",
    "/page/memories?q=backups+of+the+stores&explain=1",
    "/page/log",
    "/page/charts",
    "/page/sign-in",
    "/page/nope",
)


async def violations(page: Page) -> list[tuple[str, str, list[str]]]:
    """What axe finds: the rule, what it asks for, and where it is broken."""
    found = await cast("Any", Axe()).run(page)
    return [
        (rule["id"], rule["help"], [node["html"][:200] for node in rule["nodes"]])
        for rule in found.response["violations"]
    ]


async def all_of_it(page: Page) -> AsyncIterator[str]:
    """Each page, with everything opened; and what forms answer."""
    for place in PLACES:
        await page.goto(place)
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        yield place
    await page.goto("/page/memories")
    await page.locator("main a[href^='/page/memories/']").first.click()
    await page.get_by_role("heading", name="Metadata").wait_for()
    yield "one memory"
    await page.goto("/page/tools/hello__hello")
    await page.locator('[name="argument.message"]').fill("x")
    await page.get_by_role("button", name="Call it").click()
    await page.get_by_role("region", name="Answer, as text").wait_for()
    yield "an answer"
    await page.get_by_text("Write the arguments as JSON").click()
    await page.get_by_label("Arguments").fill("{")
    await page.get_by_role("button", name="Call with this JSON").click()
    await page.get_by_role("alert").wait_for()
    yield "a refusal"


@requirement("page:accessible")
@pytest.mark.parametrize("size", ["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_page(
    browser: Browser, shop: HttpServer, shots: Shots, theme: Theme, size: str
) -> None:
    await call(shop)
    async with visit(browser, shop, theme, PHONE if size == "phone" else DESK) as page:
        found = {place: broken async for place in all_of_it(page) if (broken := await _looked_at(page))}
        assert found == {}
        if (theme, size) == ("dark", "phone"):
            await page.goto("/")
            await shots.take(page, "phone")


async def _looked_at(page: Page) -> list[Any]:
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*await violations(page), *([f"{wide} pixels wider than the window"] if wide > 0 else [])]


@requirement("page:accessible")
async def test_axe_finds_nothing_on_what_a_visitor_sees(browser: Browser, shop: HttpServer) -> None:
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme in themes:
        async with visit(browser, shop, theme, signed_in=False) as page:
            await page.goto("/")
            assert await violations(page) == []
            await page.get_by_label("Token").fill("wrong")
            await page.keyboard.press("Enter")
            await page.get_by_role("alert").wait_for()
            assert await violations(page) == []

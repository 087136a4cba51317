"""A server over HTTP, as :mod:`tests.http.conftest` has it, and a person with a browser that runs no scripts."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import httpx2

from tests.flows.conftest import anyio_backend, stage
from tests.http.conftest import make_token, web
from tests.http_server import HttpServer

__all__ = [
    "PLACES",
    "Person",
    "anyio_backend",
    "elements",
    "make_token",
    "person",
    "sessions",
    "stage",
    "web",
]

PLACES = (
    "/",
    "/page/plugins/well",
    "/page/approvals",
    "/page/tools",
    "/page/tools/well__echo",
    "/page/memories",
    "/page/log",
    "/page/charts",
)
"""Pages that anybody with every right sees."""
_addresses = itertools.count(1)


class Person:
    """Somebody with a browser.

    Attributes:
        client: With the browser's cookies.
    """

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self._form_token = ""

    async def get(self, path: str, status: int = 200, headers: Mapping[str, str] | None = None) -> str:
        """A page's HTML."""
        answer = await self.client.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        self._learn(answer)
        return answer.text

    async def send(
        self, path: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Send a form as the last page that was read had it."""
        answer = await self.client.post(path, data={"form_token": self._form_token, **(fields or {})}, headers=headers)
        self._learn(answer)
        return answer

    async def done(self, path: str, fields: Mapping[str, str] | None = None) -> str:
        """Send a form, and read the page that it leads to."""
        answer = await self.send(path, fields)
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])

    async def sign_in(self, token: str, back: str = "/") -> httpx2.Response:
        await self.get("/page/sign-in")
        answer = await self.send("/page/sign-in", {"token": token, "back": back})
        if answer.status_code == 303:
            self._learn(await self.client.get("/"))
        return answer

    def _learn(self, answer: httpx2.Response) -> None:
        found = re.search(r'name="form_token" value="(\w+)"', answer.text)
        self._form_token = found[1] if found else self._form_token


@asynccontextmanager
async def person(server: HttpServer, token: str | None = "") -> AsyncGenerator[Person]:
    """Somebody who signed in with ``token``, the local one where it is empty; None for a visitor."""
    number = next(_addresses)  # one each, because an address may try only so many bad tokens
    transport = httpx2.AsyncHTTPTransport(local_address=f"127.2.{number >> 8}.{number & 255}")
    accept = {"accept": "text/html,*/*;q=0.8"}
    async with httpx2.AsyncClient(base_url=server.url, headers=accept, transport=transport, timeout=30) as client:
        somebody = Person(client)
        if token is not None:
            assert (await somebody.sign_in(token or server.token)).status_code == 303
        yield somebody


def sessions(home: Path) -> list[Path]:
    """The files of who is signed in."""
    return sorted((home / "state" / "page-sign-ins").glob("*"))


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def elements(html: str) -> tuple[list[tuple[str, dict[str, str | None]]], str]:
    """What a browser makes of a page: its elements with their attributes, and its text."""
    parser = _Elements()
    parser.feed(html)
    return parser.found, "".join(parser.text)

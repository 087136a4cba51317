"""Lets people in: the token that a browser stands for, and refusals as pages. Signing in is :mod:`.signing`'s."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.backends.sign_ins import SignIns
from mcp_server.page.rendering import Pages
from mcp_server.page.visits import header_in, visit_in
from mcp_server.transport.http.door import Judge

__all__ = ["BASE", "SIGN_IN", "STATIC", "BrowserDoor", "is_page"]

BASE = "/page"
SIGN_IN = f"{BASE}/sign-in"
STATIC = f"{BASE}/static"
_MOST_PROBLEM = 65_536


class BrowserDoor:
    """See :class:`~mcp_server.transport.http.door.Door`.

    Args:
        sign_ins: Who is signed in.
        pages: Makes the pages of refusals.
    """

    judge: Judge

    def __init__(self, sign_ins: SignIns, pages: Pages) -> None:
        self.sign_ins, self.pages = sign_ins, pages
        self.open = frozenset({SIGN_IN, *(f"{STATIC}/{name}" for name in pages.files)})

    def token(self, scope: Scope) -> str | None:
        """See there: a cookie stands for nobody on the paths of programs."""
        if not is_page(scope["path"]):
            return None
        visit = visit_in(scope)
        return None if visit.is_new else self.sign_ins.token(visit.secret)

    def joined(self, judge: Judge, *, signs_in: bool) -> None:
        """See there."""
        self.judge, self.pages.signs_in = judge, signs_in

    def dressed(self, app: ASGIApp) -> ASGIApp:
        """See there: programs, which do not ask for HTML, get the problem as it is."""

        async def dress(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not is_page(scope["path"]) or "text/html" not in header_in(scope, b"accept"):
                await app(scope, receive, send)
                return
            problem = _Problem()
            try:
                await app(scope, receive, problem.watching(send))
            finally:  # what nobody foresaw is answered, and then raised for the log
                if problem.start is not None:
                    page = self.pages.problem(Request(scope), problem.status, problem.body(), problem.headers())
                    await page(scope, receive, send)

        return dress


@dataclass
class _Problem:
    """Holds an answer back if it is a refusal."""

    start: Message | None = None
    content: bytes = b""

    @property
    def status(self) -> int:
        return cast("Message", self.start)["status"]

    def watching(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                self.start = message
            elif self.start is None:
                await send(message)
            elif len(self.content) < _MOST_PROBLEM:
                self.content += message.get("body", b"")

        return watched

    def headers(self) -> dict[str, str]:
        """Those that say what to do next."""
        kept = (b"www-authenticate", b"retry-after", b"allow", b"connection")
        given = cast("Message", self.start)["headers"]
        return {name.decode(): value.decode("latin-1") for name, value in given if name.lower() in kept}

    def body(self) -> dict[str, Any]:
        with suppress(ValueError):
            found = json.loads(self.content)
            if isinstance(found, dict):
                return cast("dict[str, Any]", found)
        return {}


def _is_problem(start: Message) -> bool:
    kind = next((value for name, value in start["headers"] if name.lower() == b"content-type"), b"")
    return start["status"] >= 400 and not kind.startswith(b"text/html")


def is_page(path: str) -> bool:
    """Whether ``path`` is for people."""
    return path == "/" or path.startswith(f"{BASE}/")

"""Puts the page together, and makes it an annex of the site; its routes are in the modules of their nouns."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from mcp_server.admin.desk import Desk
from mcp_server.admin.failures import answer_failures
from mcp_server.admin.history import History
from mcp_server.backends.sign_ins import FOLDER_NAME, SignIns
from mcp_server.page import approvals, charts, log, memories, plugins, rights, signing, tools
from mcp_server.page.door import BASE, BrowserDoor
from mcp_server.page.rendering import Pages
from mcp_server.page.room import FormRefused, Room
from mcp_server.transport.http.bodies import BodyRule
from mcp_server.transport.http.problem import problem
from mcp_server.transport.http.site import Annex

__all__ = ["operators_page"]

FORM = "application/x-www-form-urlencoded"
MOST_FORM_BYTES = 256 * 1024


def operators_page(desk: Desk, history: History, *, several: bool = False) -> Annex:
    """The page, to be hung into a site, whose ``desk`` the management API has joined to it.

    Args:
        desk: What the management API works on.
        history: What the charts are drawn from.
        several: Whether this process is one of several of a server.
    """
    http = desk.host.settings.http
    pages = Pages()
    pages.waiting = lambda: len(approvals.waiting(desk))
    sign_ins = SignIns(desk.state / FOLDER_NAME, http.page_idle_seconds, http.page_total_seconds)
    door = BrowserDoor(sign_ins, pages)
    room = Room(desk, history, pages, door, several)
    app = _application(room)
    rule = BodyRule(MOST_FORM_BYTES, (FORM,), http.body_seconds)
    return Annex(routes=[Route("/", app), Mount(BASE, app)], bodies={f"{BASE}/": rule}, door=door)


def _application(room: Room) -> Starlette:
    nouns = (plugins, rights, approvals, tools, memories, log, charts, signing)
    app = Starlette(routes=[route for noun in nouns for route in noun.ROUTES])
    app.router.redirect_slashes = False
    app.state.room, app.state.desk = room, room.desk
    answer_failures(app)
    app.add_exception_handler(FormRefused, _form_refused)
    return app


async def _form_refused(request: Request, error: Exception) -> Response:
    del request
    return problem(403, "form_refused", str(error))

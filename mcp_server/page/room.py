"""What the modules of the page work with: who asks, what a form holds, and where to go next."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mcp_server.admin.access import require
from mcp_server.admin.desk import Desk
from mcp_server.admin.history import History
from mcp_server.page.door import BrowserDoor
from mcp_server.page.rendering import HEADERS, Pages
from mcp_server.page.visits import header_in, visit_in
from mcp_server.transport.identity import Identity, identity_in

__all__ = ["MOST_FIELDS", "Form", "FormRefused", "Room", "asking", "form_in", "go", "room_of"]

MOST_FIELDS = 500
Form = dict[str, str]


class FormRefused(Exception):
    """A form that did not come from a page of ours, or cannot be read; the text says which."""


@dataclass(frozen=True, slots=True)
class Room:
    """One server's page.

    Attributes:
        desk: What the management API works on.
        history: What the charts are drawn from.
        pages: Makes answers.
        door: Lets people in.
        several: Whether this process is one of several of a server.
    """

    desk: Desk
    history: History
    pages: Pages
    door: BrowserDoor
    several: bool = False


def room_of(request: Request) -> Room:
    """The room that a request came into."""
    return request.app.state.room


def asking(request: Request, *scopes: str) -> Identity:
    """Who asks, if they have each of ``scopes``.

    Raises:
        Insufficient: They have not.
    """
    identity = identity_in(request.scope)
    require(identity, tuple((scope,) for scope in scopes))
    if _by_hand(request):
        room_of(request).door.sign_ins.touch(visit_in(request.scope).secret)
    return identity


async def form_in(request: Request) -> Form:
    """The fields of a form that came from a page of ours, without the proof of that; of one name, the last counts.

    Raises:
        FormRefused: It did not, or cannot be read.
    """
    origin = header_in(request.scope, b"origin")
    if origin and origin.partition("://")[2].lower() != header_in(request.scope, b"host").lower():
        raise FormRefused("the form comes from another site's page")
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise FormRefused("the form cannot be read") from None
    form = dict(pairs)
    if not visit_in(request.scope).proves(form.pop("form_token", "")):
        raise FormRefused("the form is not one that this browser was given, or is older than its sign-in")
    return form


def _by_hand(request: Request) -> bool:
    """Whether a person asks: what a script asks for by itself keeps nobody signed in."""
    return "x-refresh" not in request.headers and "text/event-stream" not in request.headers.get("accept", "")


def go(path: str, said: str = "") -> Response:
    """To another page of ours, which then says what was done."""
    return RedirectResponse(f"{path}?said={said}" if said else path, 303, HEADERS)

"""Signing in with a token, and out. The token is judged as that of every request is, then and with each page."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mcp_server.page.door import is_page
from mcp_server.page.rendering import HEADERS
from mcp_server.page.room import Room, form_in, go, room_of
from mcp_server.page.visits import Visit, header_in, visit_in
from mcp_server.transport.http.rates import too_many
from mcp_server.transport.http.verifier import TokenRefused

__all__ = ["ROUTES"]


async def _ask(request: Request) -> Response:
    """The form."""
    room = room_of(request)
    if not room.pages.signs_in:
        return go("/")
    return room.pages.show(request, "sign_in", why="", back="/")


async def _sign_in(request: Request) -> Response:
    room = room_of(request)
    form = await form_in(request)
    back = _own(form.get("back", "/"))
    if not room.pages.signs_in:
        return go("/")
    token = form.get("token", "").strip().removeprefix("Bearer ").strip()
    try:
        await room.door.judge.judge(token)
    except TokenRefused as refused:
        wait = room.door.judge.failed(request.scope)
        why = f"the token {refused}" if token else "no token was given"
        return too_many(wait) if wait else room.pages.show(request, "sign_in", 401, why=why, back=back)
    return _signed_in(room, request, token, back)


def _signed_in(room: Room, request: Request, token: str, back: str) -> Response:
    """With a new cookie: one that somebody planted before is good for nothing."""
    old = visit_in(request.scope)
    room.door.sign_ins.close(old.secret)
    visit = Visit(old.name, room.door.sign_ins.open(token), is_new=True)
    response = RedirectResponse(back, 303, HEADERS)
    # Only the browser knows whether there is TLS before this server; it says so with the Origin of its form.
    visit.give(response, secure=header_in(request.scope, b"origin").startswith("https://"))
    return response


async def _sign_out(request: Request) -> Response:
    await form_in(request)
    visit = visit_in(request.scope)
    room_of(request).door.sign_ins.close(visit.secret)
    response = go("/page/sign-in", "signed-out")
    response.delete_cookie(visit.name, path="/", httponly=True, samesite="strict")
    return response


async def _file(request: Request) -> Response:
    name, pages = request.path_params["name"], room_of(request).pages
    if name not in pages.files:
        raise HTTPException(404)
    return pages.file(name)


def _own(back: str) -> str:
    """``back`` if it is a page of ours: nobody is sent elsewhere after signing in."""
    path = back.partition("?")[0]
    return back if is_page(path) and "\\" not in back and "//" not in path and back.isprintable() else "/"


ROUTES = (
    Route("/sign-in", _ask, methods=["GET"]),
    Route("/sign-in", _sign_in, methods=["POST"]),
    Route("/sign-out", _sign_out, methods=["POST"]),
    Route("/static/{name}", _file, methods=["GET"]),
)

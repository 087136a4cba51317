"""Templates into answers: what each page is given, how text of strangers is shown, and the headers that fence it in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mcp_server import __version__
from mcp_server.page.visits import visit_in
from mcp_server.page.words import FIXES, SAID
from mcp_server.policy.scopes import ADMIN, MEMORY_READ, MEMORY_WRITE, TOOLS_LIST, unmet
from mcp_server.transport.http.door import is_visitor
from mcp_server.transport.identity import Identity, identity_in

__all__ = ["HEADERS", "Pages", "may"]

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With no-referrer a browser would send its own forms with the Origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_KINDS = {"page.css": "text/css", "page.js": "text/javascript", "page.svg": "image/svg+xml"}
# Escapes, and what turns the direction of text: they could make one text look like another.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_PROOF = Markup('<input type="hidden" name="form_token" value="{}">')
_NAV = (
    ("plugins", "/", "Plugins", ADMIN),
    ("approvals", "/page/approvals", "Approvals", ADMIN),
    ("tools", "/page/tools", "Tools", TOOLS_LIST),
    ("memories", "/page/memories", "Memories", MEMORY_READ),
    ("log", "/page/log", "Log", ADMIN),
    ("charts", "/page/charts", "Charts", ADMIN),
)


class Pages:
    """The templates, and the files beside them."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("mcp_server.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        folder = files("mcp_server.page") / "static"
        self.files = {name: (folder / name).read_bytes() for name in _KINDS}
        digest = hashlib.sha256(b"".join(self.files.values())).hexdigest()[:12]
        filters: dict[str, Callable[..., Any]] = {"moment": _moment, "size": _size, "path": _segment}
        self._templates.filters.update(filters)
        self._common: Mapping[str, Any] = {"version": __version__, "build": digest}
        self.waiting: Callable[[], int] = lambda: 0
        """How many approvals wait; the menu says so."""
        self.signs_in = True
        """Whether people sign in; where everybody may call, they do not."""

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """A page.

        Args:
            request: What it answers.
            template: Without its ``.html``.
            status: Of the answer.
            values: For the template.
        """
        visit, identity = visit_in(request.scope), _identity(request)
        # A visitor's menu has nothing in it, as there is nothing they may do.
        nav = [entry for entry in _NAV if identity is not None and may(identity, entry[3])]
        common = {
            "me": identity,
            "nav": nav,
            "waiting": self.waiting() if identity is not None and may(identity, ADMIN) else 0,
            "is_admin": identity is not None and may(identity, ADMIN),
            "may_write": identity is not None and may(identity, MEMORY_WRITE),
            "proof": lambda: _PROOF.format(visit.form_token),
            "signed_in": self.signs_in
            and not visit.is_new
            and identity is not None
            and "authorization" not in request.headers,
            "said": SAID.get(request.query_params.get("said", ""), ""),
            "here": "",
        }
        html = self._templates.get_template(f"{template}.html").render({**self._common, **common, **values})
        response = HTMLResponse(html, status, HEADERS)
        if visit.is_new:
            visit.give(response)
        return response

    def problem(self, request: Request, status: int, about: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
        """A refusal, as a page; without a token that is good, the page is the one to sign in."""
        code = str(about.get("code", "refused"))
        if status == 401:
            why = "" if about.get("detail", "").startswith("send a token") else str(about.get("detail", ""))
            response = self.show(request, "sign_in", 401, why=why, back=_address(request))
        else:
            response = self.show(
                request,
                "problem",
                status,
                number=status,
                title=HTTPStatus(status).phrase,
                code=code,
                detail=str(about.get("detail", "")),
                fix=str(about.get("fix") or FIXES.get(code) or FIXES["otherwise"]),
            )
        response.headers.update(headers)
        return response

    def file(self, name: str) -> Response:
        """The style or the script; the address changes with its bytes."""
        kept = {**HEADERS, "cache-control": "public, max-age=31536000, immutable"}
        return Response(self.files[name], headers=kept, media_type=_KINDS[name])


def may(identity: Identity, *scopes: str) -> bool:
    """Whether ``identity`` has each of ``scopes``."""
    return not unmet(identity.scopes, tuple((scope,) for scope in scopes))


def _identity(request: Request) -> Identity | None:
    """None for a visitor, and where a request was refused before it was known whose it is."""
    try:
        identity = identity_in(request.scope)
    except KeyError:
        return None
    return None if is_visitor(identity) else identity


def _address(request: Request) -> str:
    """Where to go on after signing in; only what was read can be read again."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{quote(request.scope['path'])}{query}" if request.method == "GET" else "/"


def _shown(value: Any) -> Any:
    """What every value passes on its way into a page, before it is escaped."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value)


def _segment(text: str) -> str:
    """As one segment of an address."""
    return quote(text, safe="")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1_024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1_024
    return f"{number:.1f} GiB"

"""The cookie of a browser: which one it is, and the word by which a form proves that it came from a page of ours.

The cookie is a random secret, for visitors and for people who signed in; whose it is, is kept on the server.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from mcp_server.backends.sign_ins import new_secret

__all__ = ["Visit", "header_in", "visit_in"]

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One browser.

    Attributes:
        name: Of the cookie. Cookies know no ports: two servers on one machine must not take each other's.
        secret: Its value.
        is_new: Whether the browser has yet to be given it.
    """

    name: str
    secret: str
    is_new: bool

    @property
    def form_token(self) -> str:
        """What each form of this browser carries; nobody who cannot read the cookie or a page knows it."""
        return hmac.new(self.secret.encode(), b"agentmem form", hashlib.sha256).hexdigest()

    def proves(self, form_token: str) -> bool:
        """Whether a form that carries this came from a page that this browser was given."""
        return not self.is_new and hmac.compare_digest(self.form_token.encode(), form_token.encode())

    def give(self, response: Response, *, secure: bool = False) -> None:
        """Set the cookie, for as long as the browser runs."""
        response.set_cookie(self.name, self.secret, path="/", secure=secure, httponly=True, samesite="strict")


def visit_in(scope: Scope) -> Visit:
    """The browser that asks; one that has no cookie of ours gets a new secret."""
    port = header_in(scope, b"host").rpartition(":")[2]
    name = f"agentmem-page-{port}" if port.isascii() and port.isdigit() else "agentmem-page"
    secret = cookie_parser(header_in(scope, b"cookie")).get(name, "")
    if _SECRET.fullmatch(secret):
        return Visit(name, secret, is_new=False)
    return Visit(name, new_secret(), is_new=True)


def header_in(scope: Scope, name: bytes) -> str:
    """A header of a request; empty where there is none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")

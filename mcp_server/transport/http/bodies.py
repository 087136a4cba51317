"""The guard of bodies: how long one may be, how long it may take, and of which type it is.

It looks at the bytes as the route reads them, so that a route may stream an upload; what is in them is the route's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.transport.http.problem import problem

__all__ = ["BodyGuard", "BodyRefused", "BodyRule"]

JSON = ("application/json",)
_WRITES = frozenset({"POST", "PUT", "PATCH"})
_CLOSE = {"connection": "close"}


@dataclass(frozen=True, slots=True)
class BodyRule:
    """What bodies a path takes.

    Attributes:
        cap: Bytes at most.
        types: Media types.
        seconds: How long it may take from the first byte to the last.
    """

    cap: int
    types: tuple[str, ...] = JSON
    seconds: float = 30.0


class BodyRefused(Exception):
    """A body broke its rule while a route was reading it; the guard answers, so no route may hold this up."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class BodyGuard:
    """Answers 413, 415 and 408.

    Args:
        app: What is behind it.
        rule: For every path that has none of its own.
        rules: By path; a rule for a path that ends with a slash is for all below it.
    """

    def __init__(self, app: ASGIApp, rule: BodyRule, rules: Mapping[str, BodyRule]) -> None:
        self._app, self._rule, self._rules = app, rule, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = self._rule_of(scope["path"])
        refused = _declared(scope["method"], Headers(scope=scope), rule)
        if refused is not None:
            return await refused(scope, receive, send)
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, _bounded(receive, rule), watched)
        except BodyRefused as error:
            if started:
                raise
            await error.response(scope, receive, send)

    def _rule_of(self, path: str) -> BodyRule:
        if path in self._rules:
            return self._rules[path]
        below = [prefix for prefix in self._rules if prefix.endswith("/") and path.startswith(prefix)]
        return self._rules[max(below, key=len)] if below else self._rule


def _declared(method: str, headers: Headers, rule: BodyRule) -> Response | None:
    """What the headers alone refuse."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > rule.cap:
        return _too_long(rule)
    empty = length in ("", "0") and "transfer-encoding" not in headers
    if method in _WRITES and not (empty and "content-type" not in headers):
        media, _, parameters = headers.get("content-type", "").partition(";")
        charset = parameters.replace(" ", "").lower()
        if media.strip().lower() not in rule.types or ("charset=" in charset and "charset=utf-8" not in charset):
            kinds = " or ".join(rule.types)
            return problem(415, "unsupported_media_type", f"send {kinds}, in UTF-8 where it is text", _CLOSE)
    return None


def _bounded(receive: Receive, rule: BodyRule) -> Receive:
    seen = 0
    due: float | None = anyio.current_time() + rule.seconds

    async def bounded() -> Message:
        nonlocal seen, due
        if due is None:
            return await receive()
        try:
            with anyio.fail_after(max(0.0, due - anyio.current_time())):
                message = await receive()
        except TimeoutError:
            text = f"the body did not arrive within {rule.seconds:g} s"
            raise BodyRefused(problem(408, "request_timeout", text, _CLOSE)) from None
        seen += len(message.get("body", b""))
        if seen > rule.cap:
            raise BodyRefused(_too_long(rule))
        if not message.get("more_body", False):
            due = None  # what comes next is the end of the connection, whenever that is
        return message

    return bounded


def _too_long(rule: BodyRule) -> Response:
    return problem(413, "body_too_large", f"a body may have {rule.cap} bytes here")

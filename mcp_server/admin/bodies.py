"""JSON bodies of the management API: parsed as strictly as messages of MCP, before any model sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mcp_server.tools.json_text import parse

__all__ = ["MAX_DEPTH", "StrictRoute", "strict_json"]

MAX_DEPTH = 64


class _StrictRequest(Request):
    async def json(self) -> Any:
        body = await self.body()
        try:
            return strict_json(body)
        except ValueError as error:
            raise HTTPException(400, f"the body is {error}") from None


class StrictRoute(APIRoute):
    """A route whose body is strict JSON, where it has one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


def strict_json(text: bytes) -> Any:
    """The value in ``text``.

    Raises:
        ValueError: Why it is not acceptable; completes "it is …".
    """
    value = parse(text, MAX_DEPTH)
    json.loads(text, object_pairs_hook=_unique)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("ambiguous: a key stands twice in one object")
    return found

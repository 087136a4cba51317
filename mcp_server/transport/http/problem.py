"""Refusals of the guards, in the form of RFC 9457; MCP's own errors are JSON-RPC and are not made here."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from pydantic_core import to_json
from starlette.responses import Response

__all__ = ["problem"]


def problem(
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """A response ``{"type", "title", "status", "code", "detail", …}``.

    Args:
        status: HTTP status.
        code: Stable word for programs.
        detail: What was wrong and what to do; readable by a stranger, so it holds nothing of this machine.
        headers: More of the answer's headers.
        more: Values for programs; none may have a name of those above.
    """
    body: dict[str, object] = {
        **(more or {}),
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return Response(to_json(body), status, {"cache-control": "no-store", **(headers or {})}, "application/problem+json")

"""The JSON of a request, where there is one way to read it, and of its answer; what it asks for is not judged here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import from_json, to_json

from mcp_server.tools.json_text import JsonProblem
from mcp_server.transport.frame import usable_id
from mcp_server.transport.unique_keys import require_unique

__all__ = ["Request", "error_message", "read_request", "result_message"]

MAX_BRACKETS = 200
"""Opened in a body, and so its depth at most: below what any reader on the way refuses."""
_KEYS = {"jsonrpc", "id", "method", "params"}


@dataclass(frozen=True, slots=True)
class Request:
    """A JSON-RPC request.

    Attributes:
        id: Its id.
        method: What is asked for.
        params: Its parameters; an object, empty where it has none.
    """

    id: str | int
    method: str
    params: dict[str, Any]


def read_request(body: bytes) -> Request | None:
    """The request in ``body``; None where it is anything else, or could be read in two ways."""
    if body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
        return None
    try:
        message: object = from_json(body, allow_inf_nan=False, cache_strings="keys")
        if not isinstance(message, dict) or {"params", *message} != _KEYS:
            return None
        frame = cast("dict[str, Any]", message)
        require_unique(body, frame)
    except (JsonProblem, ValueError):
        return None
    request_id, method, params = usable_id(frame), frame["method"], frame.get("params", {})
    if frame["jsonrpc"] != "2.0" or request_id is None or not isinstance(method, str) or not isinstance(params, dict):
        return None
    return Request(request_id, method, cast("dict[str, Any]", params))


def result_message(request: str | int, result: bytes) -> bytes:
    """The answer to a request, from the JSON of its result."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (to_json(request), result)


def error_message(request: str | int | None, code: int, message: str) -> bytes:
    """A JSON-RPC error."""
    return to_json({"jsonrpc": "2.0", "id": request, "error": {"code": code, "message": message}})

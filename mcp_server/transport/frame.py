"""What a JSON-RPC 2.0 message looks like, whatever carried it; what it asks for is not judged here."""

from __future__ import annotations

from typing import Any, cast

__all__ = [
    "CONNECTION_CLOSED",
    "INTERNAL_ERROR",
    "INVALID_REQUEST",
    "PARSE_ERROR",
    "Message",
    "correlated",
    "frame_problem",
    "usable_id",
]

PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
CONNECTION_CLOSED = -32000
"""Of MCP's SDKs: the connection ended before the answer was there."""
MAX_ID_CHARS = 256

Message = dict[str, Any]


def frame_problem(message: object) -> str:
    """Why ``message`` is no JSON-RPC 2.0 message (jsonrpc.org/specification); empty when it is one."""
    if not isinstance(message, dict):
        kind = "batches are" if isinstance(message, list) else f"a {type(message).__name__} is"
        return f"one JSON object is expected; {kind} not taken"
    frame = cast("Message", message)
    if frame.get("jsonrpc") != "2.0":
        return '"jsonrpc": "2.0" is missing'
    if "method" in frame:
        if not isinstance(frame["method"], str):
            return '"method" must be a string'
        if not isinstance(frame.get("params"), dict | None):
            return '"params" must be an object'
        if "id" in frame and usable_id(frame) is None:
            return '"id" must be a string or an integer'
        return ""
    if "id" not in frame or ("result" in frame) == ("error" in frame):
        return 'either "method", or "id" with "result" or "error", is expected (names are case-sensitive)'
    return "" if isinstance(frame.get("error", frame.get("result")), dict) else "a response must hold an object"


def usable_id(message: object) -> str | int | None:
    """The id that an answer to ``message`` can be sent to; None where it has none."""
    value = cast("Message", message).get("id") if isinstance(message, dict) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    return value if isinstance(value, str) and len(value) <= MAX_ID_CHARS else None


def correlated(request_id: str | int) -> str | int:
    """What an id is compared by: a number that a client sends as text is the number, as in MCP's SDKs."""
    try:
        return int(request_id)
    except ValueError:
        return request_id

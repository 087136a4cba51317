"""One line of a client, where there is one way to read it; every other line is for the server to judge."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

__all__ = ["Said", "canonical", "is_blank", "read_line"]

MAX_LINE = 65_536
MAX_BRACKETS = 200
"""Opened in a line, and so its depth at most: below what any reader on the way refuses."""
MAX_NUMBER = 2**53
MAX_ID_CHARS = 128
_KEYS = frozenset({"jsonrpc", "id", "method", "params"})


class Said(NamedTuple):
    """A request or a notification.

    Attributes:
        id: None for a notification.
        method: What is asked for.
        params: None where there are none.
        message: The whole of it.
    """

    id: str | int | None
    method: str
    params: dict[str, Any] | None
    message: dict[str, Any]


def is_blank(line: bytes) -> bool:
    """Whether a line says nothing."""
    return not line or line.isspace()


def read_line(line: bytes) -> Said | None:
    """What ``line`` says; None where it is no request or notification, or could be read in two ways."""
    if len(line) > MAX_LINE or line.count(b"[") + line.count(b"{") > MAX_BRACKETS:
        return None
    try:
        message: Any = _DECODER.decode(line.decode("utf-8"))
        canonical(message).encode("utf-8")  # halves of characters are refused by other readers
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    return _said(message)  # pyright: ignore[reportUnknownArgumentType]  # JSON


def canonical(value: object) -> str:
    """JSON of ``value`` that is the same for the same value, in whatever order and style it was written."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _said(message: dict[str, Any]) -> Said | None:
    method, params, number = message.get("method"), message.get("params"), message.get("id")
    if not message.keys() <= _KEYS or message.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return None
    if "params" in message and not isinstance(params, dict):
        return None
    if "id" in message and not _is_plain(number):
        return None
    return Said(number, method, params, message)


def _is_plain(number: object) -> bool:
    if isinstance(number, str):
        return len(number) <= MAX_ID_CHARS and number.isascii() and number.isprintable()
    return isinstance(number, int) and not isinstance(number, bool) and abs(number) < MAX_NUMBER


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _refused(text: str) -> Any:
    raise ValueError(f"{text}: written in more than one way")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_refused, parse_constant=_refused)

"""Strict JSON at the edge of the sandbox: what the host takes from a guest or a caller, and what it writes.

Stricter than Python's parser on purpose: NaN, infinities (also as ``1e999``), lone surrogates, invalid UTF-8 and
deep nesting are refused, because some client downstream breaks on each of them.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

__all__ = ["JsonProblem", "as_input", "TooDeep", "depth_of", "is_lax_json", "parse", "write"]


class JsonProblem(ValueError):
    """Why a value is not acceptable JSON; the text completes "… is"."""


class TooDeep(JsonProblem):
    """Nested past the limit.

    Attributes:
        used: How deep, where the parser came so far.
    """

    def __init__(self, allowed: int, used: int | None = None) -> None:
        super().__init__(f"nested deeper than {allowed} levels")
        self.used = used


def parse(data: bytes | str, max_depth: int) -> Any:
    """The JSON value in ``data``.

    Raises:
        JsonProblem: Not JSON, not finite as written (``1e999`` is found by :func:`write`), or not UTF-8.
        TooDeep: Nested deeper than ``max_depth``.
    """
    try:
        value: Any = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise TooDeep(max_depth) from None
        raise JsonProblem(f"not valid JSON: {error}") from None
    brackets = data.count(b"[") + data.count(b"{") if isinstance(data, bytes) else data.count("[") + data.count("{")
    if brackets > max_depth and (used := depth_of(value)) > max_depth:
        raise TooDeep(max_depth, used)
    return value


def is_lax_json(text: str) -> bool:
    """Whether a reader that is not strict takes ``text`` for JSON; then it is not text that happens to fail."""
    try:
        json.loads(text, parse_int=float)
    except ValueError:
        return False
    except RecursionError:
        return True
    return True


def write(value: object) -> bytes:
    """``value`` as compact UTF-8 JSON.

    Raises:
        JsonProblem: It holds something JSON has no words for.
    """
    try:
        text = to_json(value)
        if b"Infinity" in text or b"NaN" in text:  # as a number or inside a string: a second, strict look decides
            from_json(text, allow_inf_nan=False)
    except PydanticSerializationError as error:
        raise JsonProblem(f"not representable as JSON: {error}") from None
    except ValueError:
        raise JsonProblem("holding a number that is not finite") from None
    return text


def depth_of(value: object) -> int:
    """How deep arrays and objects are nested; 0 for a scalar."""
    deepest = 0
    stack: list[tuple[object, int]] = [(value, 1)]
    while stack:
        node, level = stack.pop()
        children: list[object] = []
        if isinstance(node, dict):
            children = list(node.values())  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]  # JSON
        elif isinstance(node, list):
            children = node  # pyright: ignore[reportUnknownVariableType]  # JSON
        else:
            continue
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children)
    return deepest


def as_input(value: Any) -> bytes:
    """A guest's input: bytes as they are, nothing for None, JSON for all else.

    Raises:
        JsonProblem: It cannot be written as JSON.
    """
    return value if isinstance(value, bytes) else b"" if value is None else write(value)

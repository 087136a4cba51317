"""Whether a value is the one that an author expects, where ``…`` stands for anything."""

from __future__ import annotations

import re
from typing import Any, cast

__all__ = ["ANY", "like"]

ANY = "…"


def like(expected: Any, came: Any) -> bool:
    """Whether ``came`` is ``expected``, in which ``…`` stands for anything: a value, a part of a text, more keys."""
    if expected == ANY:
        return True
    if isinstance(expected, str) and isinstance(came, str):
        return re.fullmatch(".*".join(map(re.escape, expected.split(ANY))), came, re.DOTALL) is not None
    if isinstance(expected, dict) and isinstance(came, dict):
        return _like_table(cast("dict[str, Any]", expected), cast("dict[str, Any]", came))
    if isinstance(expected, list) and isinstance(came, list):
        return _like_list(cast("list[Any]", expected), cast("list[Any]", came))
    return isinstance(expected, bool) is isinstance(came, bool) and expected == came


def _like_table(expected: dict[str, Any], came: dict[str, Any]) -> bool:
    wanted = {key: value for key, value in expected.items() if key != ANY}
    right_keys = came.keys() >= wanted.keys() if ANY in expected else came.keys() == wanted.keys()
    return right_keys and all(like(value, came[key]) for key, value in wanted.items())


def _like_list(expected: list[Any], came: list[Any]) -> bool:
    return len(expected) == len(came) and all(map(like, expected, came))

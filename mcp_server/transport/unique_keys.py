"""Whether a JSON text has a key twice in one object, which readers disagree about."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["RepeatedKey", "require_unique"]


class RepeatedKey(ValueError):
    """An object has a key twice; the text completes "the body is …"."""


def require_unique(text: bytes) -> None:
    """Walk through all objects of ``text``.

    Raises:
        RepeatedKey: One has a key twice.
        ValueError: It is no JSON.
    """
    json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedKey(f"ambiguous: the key {json.dumps(twice[:64])} stands twice in one object")
    return found

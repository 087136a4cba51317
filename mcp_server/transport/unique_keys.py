"""Whether a JSON text has a key twice in one object, which readers disagree about."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_json

__all__ = ["RepeatedKey", "require_unique"]


class RepeatedKey(ValueError):
    """An object has a key twice; the text completes "the body is …"."""


def require_unique(text: bytes, value: object) -> None:
    """Refuse a key that stands twice in an object of ``text``, which reads as ``value``.

    What is written as it was read has none. Without escapes each pair of quotes is a string, and an object that has
    read one key over another has lost a string: so it is enough to count. Only other texts are walked through.

    Raises:
        RepeatedKey: There is one.
        ValueError: A stricter reader takes ``text`` for no JSON.
    """
    written = to_json(value)
    if written != text and (b"\\" in text or written.count(b'"') != text.count(b'"')):
        json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedKey(f"ambiguous: the key {json.dumps(twice[:64])} stands twice in one object")
    return found

"""JSON values as TOML on one line, for files that are written new; files that are there are edited elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

__all__ = ["has_toml_form", "toml_key", "toml_value"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: Any) -> str:
    """``value`` as TOML.

    Raises:
        ValueError: It has no form there: a null, or something that is no JSON.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return json.dumps(value, allow_nan=False)
        case list():
            return f"[{', '.join(map(toml_value, cast('list[Any]', value)))}]"
        case Mapping():
            table = cast("Mapping[str, Any]", value)
            pairs = ", ".join(f"{toml_key(key)} = {toml_value(item)}" for key, item in table.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            raise ValueError(f"a {type(value).__name__} has no form in TOML")


def toml_key(key: str) -> str:
    """``key``, in quotes where TOML needs them."""
    return key if _BARE.fullmatch(key) else toml_value(key)


def has_toml_form(value: Any) -> bool:
    """Whether there is no null anywhere in the JSON value ``value``."""
    if isinstance(value, dict):
        return all(map(has_toml_form, cast("dict[str, Any]", value).values()))
    if isinstance(value, list):
        return all(map(has_toml_form, cast("list[Any]", value)))
    return value is not None

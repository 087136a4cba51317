"""Says what is wrong with a configuration file in sentences a person can act on, every problem of it at once."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

__all__ = ["did_you_mean", "json_problems", "problems_of", "without_refused"]

MAX_JSON_DEPTH = 32
_MAX_SHOWN_CHARS = 80
_BARE = re.compile(r"[^\"\s|:/]*")
"""A key that is read as one without quotes."""


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Every problem as ``dotted.key: what is wrong``."""
    return [_describe(detail, model) for detail in error.errors()]


def without_refused(document: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """A copy of ``document`` without the values that ``error`` refused, so that the rest can still be checked."""
    kept = _copied(document)
    for detail in error.errors():
        *path, last = detail["loc"] or ("",)
        table: Any = kept
        for step in path:
            table = table[step] if _has(table, step) else None
        if not _has(table, last):
            continue  # it is missing, or was taken out with what it lies in
        if isinstance(table, list):
            table[cast("int", last)] = {}  # the entries after it keep their numbers
        else:
            del table[last]
    return kept


def json_problems(value: object, where: str) -> list[str]:
    """Each value below ``where`` that JSON has no words for (a TOML date, ``nan``), and nesting that is too deep."""
    problems: list[str] = []
    stack: list[tuple[str, object, int]] = [(where, value, 1)]
    while stack:
        key, node, depth = stack.pop()
        if isinstance(node, dict | list):
            if depth > MAX_JSON_DEPTH:
                return [f"{where}: is nested deeper than {MAX_JSON_DEPTH} levels"]
            children = [(_dotted((key, step)), child, depth + 1) for step, child in _named(cast("object", node))]
            stack.extend(reversed(children))
        elif isinstance(node, float) and not math.isfinite(node):
            problems.append(f"{key}: {node} is no JSON number")
        elif not isinstance(node, str | int | float | None):
            problems.append(f"{key}: a {type(node).__name__} has no form in JSON; write it as a string")
    return problems


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """``, did you mean 'x'?``, or the known words, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f", did you mean '{close[0]}'?"
    return f"; known: {', '.join(known)}" if known else ""


def _describe(detail: ErrorDetails, model: type[BaseModel]) -> str:
    where = _dotted(detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        return f"{where}: unknown key{did_you_mean(name, _known_keys(detail['loc'][:-1], model))}"
    if kind == "missing":
        return f"{where}: is required"
    if kind == "literal_error":
        words = str(detail.get("ctx", {}).get("expected", ""))
        expected = re.findall(r"'([^']*)'", words) or [words]
        return f"{where}: {_shown(detail['input'])} is not allowed{did_you_mean(str(detail['input']), expected)}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if kind == "value_error" else f"{where}: {message} (got {_shown(detail['input'])})"


def _shown(value: object) -> str:
    text = repr(value if isinstance(value, str | int | float | bool) else type(value).__name__)
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}…"


def _copied(node: Any, levels: int = 4) -> Any:
    """Copied as deep as a model has fields; a value below that is refused as a whole or not at all."""
    if not levels:
        return node
    if isinstance(node, Mapping):
        return {key: _copied(value, levels - 1) for key, value in cast("Mapping[str, Any]", node).items()}
    if isinstance(node, list | tuple):
        return [_copied(item, levels - 1) for item in cast("Sequence[Any]", node)]
    return node


def _named(node: object) -> list[tuple[int | str, object]]:
    if isinstance(node, dict):
        return list(cast("dict[int | str, object]", node).items())
    return list(enumerate(cast("list[object]", node)))


def _has(table: Any, step: int | str) -> bool:
    if isinstance(table, dict):
        return step in table
    return isinstance(table, list) and isinstance(step, int) and step < len(table)  # pyright: ignore[reportUnknownArgumentType]  # JSON


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for step in location:
        name = step if isinstance(step, int) or _BARE.fullmatch(step) else f'"{step}"'
        text += f"[{name}]" if isinstance(step, int) else f".{name}"
    return text.lstrip(".") or "(file)"


def _known_keys(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys that the model at ``location`` has, walking the model tree by field names."""
    for step in location:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        found = _model_in(field.annotation) if field else None
        if found is not None:
            model = found
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, UnionType) or get_args(annotation):
        for part in get_args(annotation):
            found = _model_in(part)
            if found is not None:
                return found
    return None

"""Turns a pydantic validation error into sentences a person can act on, with "did you mean" for unknown keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from types import UnionType
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

__all__ = ["did_you_mean", "problems_of"]


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Every problem as ``dotted.key: what is wrong``."""
    return [_describe(detail, model) for detail in error.errors()]


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
        expected = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
        return f"{where}: {detail['input']!r} is not allowed{did_you_mean(str(detail['input']), expected)}"
    message = detail["msg"].removeprefix("Value error, ")
    shown = detail["input"] if isinstance(detail["input"], str | int | float | bool) else type(detail["input"]).__name__
    return f"{where}: {message}" if kind == "value_error" else f"{where}: {message} (got {shown!r})"


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
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

"""A tool's input schema as fields of a form, and what was filled in as the arguments of a call.

Plain values have fields of their own; everything else is written as JSON. Whether the arguments fit the schema is for
the call to judge. A schema is its author's word: names and texts of it are data here, and its size is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from mcp_server.admin.bodies import strict_json

__all__ = ["AS_JSON", "Field", "arguments_of", "fields_of", "tried"]

AS_JSON = "json"
"""The name of the field with all arguments as JSON."""
_PREFIX = "argument."
_MOST_FIELDS = 60
_MOST_CHOICES = 200
Kind = Literal["text", "lines", "number", "integer", "choice", "boolean", "json"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: Of the argument.
        kind: How it is filled in.
        label: The schema's title, or the name.
        help: The schema's description.
        required: Whether a call must have it.
        choices: The values of a choice, as JSON.
        value: What is in it.
        problem: Why what was filled in cannot be read.
    """

    name: str
    kind: Kind
    label: str
    help: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    value: str = ""
    problem: str = ""

    @property
    def input_name(self) -> str:
        """Its name in the form."""
        return f"{_PREFIX}{self.name}"


def fields_of(schema: Mapping[str, Any]) -> list[Field] | None:
    """The fields; None where only JSON will do."""
    properties = schema.get("properties")
    if not isinstance(properties, dict) or len(cast("Mapping[str, Any]", properties)) > _MOST_FIELDS:
        return None
    required = schema.get("required")
    names = cast("Sequence[object]", required) if isinstance(required, list) else ()
    return [
        _field(name, _object(about), name in names) for name, about in cast("Mapping[str, Any]", properties).items()
    ]


def _field(name: str, about: Mapping[str, Any], required: bool) -> Field:
    choices = about.get("enum")
    given = Field(name, _kind(about), _text(about.get("title")) or name, _text(about.get("description")), required)
    if given.kind == "choice":
        given = replace(given, choices=tuple(map(_json, cast("Sequence[Any]", choices))))
    if "default" in about:
        given = replace(given, value=_written(given.kind, about["default"]))
    return given


def _kind(about: Mapping[str, Any]) -> Kind:
    choices = about.get("enum")
    if isinstance(choices, list) and 0 < len(cast("Sequence[Any]", choices)) <= _MOST_CHOICES:
        return "choice"
    match about.get("type"):
        case "string":
            longest = about.get("maxLength")
            return "text" if "format" in about or (isinstance(longest, int) and longest <= 200) else "lines"
        case "boolean" | "integer" | "number" as kind:
            return kind
        case _:
            return "json"


def tried(fields: Sequence[Field], form: Mapping[str, str]) -> list[Field]:
    """The fields with what was filled in, and what is wrong with it."""
    found: list[Field] = []
    for field in fields:
        value = form.get(field.input_name, "")
        problem = ""
        try:
            _read(field, value)
        except ValueError as error:
            problem = str(error)
        found.append(replace(field, value=value, problem=problem))
    return found


def arguments_of(fields: Sequence[Field]) -> dict[str, Any]:
    """The arguments; a field that need not be filled in and is not is left out."""
    return {field.name: _read(field, field.value) for field in fields if field.value or field.required}


def _read(field: Field, text: str) -> Any:
    """What was written, as a value.

    Raises:
        ValueError: It is none.
    """
    if field.kind in ("text", "lines"):
        return text.replace("\r\n", "\n")
    if not text:
        if field.required:
            raise ValueError("this has to be filled in")
        return None
    try:
        value = strict_json(text.encode("utf-8", "replace"))
    except ValueError:
        wanted = {"number": "a number", "integer": "a whole number"}.get(field.kind, "JSON")
        raise ValueError(f"this is not {wanted}") from None
    wrong = isinstance(value, bool) or not isinstance(value, int | float)
    if field.kind == "integer" and (wrong or not isinstance(value, int)):
        raise ValueError("this is not a whole number")
    if field.kind == "number" and wrong:
        raise ValueError("this is not a number")
    return value


def _written(kind: Kind, value: Any) -> str:
    return value if kind in ("text", "lines") and isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}

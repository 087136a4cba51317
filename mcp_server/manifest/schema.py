"""A tool's JSON Schema: capped when it is loaded, compiled once, asked on every call.

jsonschema-rs because it answers in 0.2 µs where ``jsonschema`` takes 22 µs with a cached validator, ends on
every schema bomb tried in ≤ 20 ms, and with ``offline=True`` follows no network ``$ref``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import jsonschema_rs

from mcp_server.manifest.headers import header_problem
from mcp_server.manifest.model import hidden_character

__all__ = ["JsonSchema", "schema_problem"]

MAX_SCHEMA_BYTES = 65_536
MAX_SCHEMA_DEPTH = 32
MAX_SCHEMA_NODES = 2_000
MAX_REPORTED_PROBLEMS = 8
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# jsonschema-rs 0.60 prints a user's value back in its messages; long ones are cut.
_MAX_PROBLEM_CHARS = 300


class JsonSchema:
    """One compiled schema.

    Args:
        source: The schema as the author wrote it.
        hidden: Whether messages leave the value out, because it may be a secret.

    Raises:
        ValueError: The schema is over a cap, refers to a remote document, or is not valid JSON Schema 2020-12.
    """

    __slots__ = ("_is_valid", "_validator", "source")

    def __init__(self, source: Mapping[str, Any], *, hidden: bool = False) -> None:
        problem = schema_problem(source)
        if problem:
            raise ValueError(problem)
        self.source = dict(source)
        try:
            self._validator = jsonschema_rs.validator_for(
                self.source, offline=True, mask="the value" if hidden else None
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise ValueError(f"is not a valid JSON Schema: {_first_line(error)}") from None
        self._is_valid = self._validator.is_valid

    def problems(self, value: object) -> list[str]:
        """Every way ``value`` breaks the schema as ``path: message``; empty when it fits."""
        if self._is_valid(value):
            return []
        found: list[str] = []
        for error in self._validator.iter_errors(value):
            if len(found) == MAX_REPORTED_PROBLEMS:
                found.append("…")
                break
            path = "/".join(str(step) for step in error.instance_path) or "(root)"
            message = (
                error.message if len(error.message) <= _MAX_PROBLEM_CHARS else error.message[:_MAX_PROBLEM_CHARS] + "…"
            )
            found.append(f"{path}: {message}")
        return found


def schema_problem(source: Mapping[str, Any]) -> str:
    """Why ``source`` is not accepted as a schema at all; empty when it may be compiled.

    The caps are those of the threat model: a schema is a program that an author makes the host run.
    """
    try:
        size = len(json.dumps(source, allow_nan=False).encode("utf-8"))
    except (TypeError, ValueError, RecursionError) as error:
        return f"is not plain JSON ({_first_line(error)})"
    if size > MAX_SCHEMA_BYTES:
        return f"is {size} bytes long; the limit is {MAX_SCHEMA_BYTES}"
    dialect = source.get("$schema", DIALECT)
    if dialect != DIALECT:
        return f"names the dialect {dialect!r}; only {DIALECT} is served"
    return _content_problem(source) or header_problem(source)


def _content_problem(source: Mapping[str, Any]) -> str:
    for nodes, (depth, key, value) in enumerate(_walk(source, 1), 1):
        if depth > MAX_SCHEMA_DEPTH:
            return f"is nested deeper than {MAX_SCHEMA_DEPTH} levels"
        if nodes > MAX_SCHEMA_NODES:
            return f"has more than {MAX_SCHEMA_NODES} nodes"
        if key in ("$ref", "$dynamicRef") and isinstance(value, str) and not value.startswith("#"):
            return f"refers to {value!r}; only references into itself (#/…) are followed"
        # a client shows descriptions, titles and enums to a person and a model; nobody reads a pattern
        shown = (key, value) if isinstance(value, str) and key != "pattern" else (key,)
        for text in shown:
            if problem := hidden_character(text):
                return problem
    return ""


def _walk(node: object, depth: int) -> Iterator[tuple[int, str, object]]:
    """Every (depth, key, value) below ``node``, without recursion so that depth costs no stack."""
    stack: list[tuple[int, str, object]] = [(depth, "", node)]
    while stack:
        level, key, value = stack.pop()
        yield level, key, value
        if isinstance(value, Mapping):
            table = cast("Mapping[str, object]", value)
            stack.extend((level + 1, str(name), child) for name, child in table.items())
        elif isinstance(value, list):
            stack.extend((level + 1, "", child) for child in cast("list[object]", value))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

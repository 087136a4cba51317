"""What a record must fulfil: a small closed tree of conditions that every store can translate.

A missing value fulfils nothing but ``ne``, ``nin`` and a negation; values of two kinds are never equal or ordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["AllOf", "AnyOf", "Column", "Comparison", "Condition", "Operand", "Operator", "Path", "Scalar", "Without"]

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains", "icontains"]
Scalar = str | int | float | bool | None
Operand = Scalar | Sequence[Scalar]


@dataclass(frozen=True, slots=True)
class Column:
    """A field that every memory has."""

    name: Literal[
        "id",
        "content",
        "memory_type",
        "agent_id",
        "run_id",
        "created_at",
        "updated_at",
        "expires_at",
        "importance",
        "version",
    ]


@dataclass(frozen=True, slots=True)
class Path:
    """A value inside the metadata, by the keys that lead to it. No key holds a quote, a backslash or a control."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field operator value``; the value of ``in`` and ``nin`` is a sequence."""

    field: Column | Path
    operator: Operator
    value: Operand


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; true when there is none."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds; false when there is none."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """The part does not hold."""

    part: Condition


Condition = Comparison | AllOf | AnyOf | Without

"""From a condition to SQL: what came from a caller is a bound parameter, the SQL is made of our words only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never, cast

from mcp_server.backends.conditions import (
    AllOf,
    AnyOf,
    Column,
    Comparison,
    Condition,
    Operand,
    Path,
    Scalar,
    Without,
)

__all__ = ["Where", "fold"]

_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def fold(text: object) -> object:
    """The SQL function ``fold``: SQLite's own ``lower`` knows ASCII alone."""
    return text.casefold() if isinstance(text, str) else text


class Where:
    """A condition as SQL over the table ``m``, with its bindings collected by name.

    Args:
        condition: What to translate.
        now: Hides what has expired by then; 0 hides nothing.
    """

    def __init__(self, condition: Condition, now: int = 0) -> None:
        self.bindings: dict[str, Any] = {}
        text = self._condition(condition)
        if now:
            text = f"(m.expires_at IS NULL OR m.expires_at > {self._bind(now)}) AND {text}"
        self.sql = text
        self.is_plain = condition == AllOf(())

    def _condition(self, condition: Condition) -> str:
        match condition:
            case Comparison(field, operator, value):
                # COALESCE: a missing value is no third kind of truth, so that Without turns it around.
                return f"COALESCE({self._comparison(field, operator, value)}, 0)"
            case AllOf(parts):
                return self._joined(" AND ", parts, "1")
            case AnyOf(parts):
                return self._joined(" OR ", parts, "0")
            case Without(part):
                return f"(NOT {self._condition(part)})"
            case _:
                assert_never(condition)

    def _joined(self, word: str, parts: tuple[Condition, ...], empty: str) -> str:
        return f"({word.join(self._condition(part) for part in parts)})" if parts else empty

    def _comparison(self, field: Column | Path, operator: str, value: Operand) -> str:
        if operator in ("ne", "nin"):
            return f"(NOT COALESCE({self._comparison(field, 'eq' if operator == 'ne' else 'in', value)}, 0))"
        if operator == "in":
            each = [self._equal(field, item) for item in cast("Sequence[Scalar]", value)]
            return f"({' OR '.join(f'COALESCE({part}, 0)' for part in each)})" if each else "0"
        scalar = cast("Scalar", value)
        if operator == "eq":
            return self._equal(field, scalar)
        if operator in ("contains", "icontains"):
            return self._contains(field, scalar, folded=operator == "icontains")
        kind, text = self._parts(field)
        return f"({self._same_kind(kind, scalar)} AND {text} {_SIGNS[operator]} {self._bind(scalar)})"

    def _equal(self, field: Column | Path, value: Scalar) -> str:
        kind, text = self._parts(field)
        if value is None:
            return f"({text} IS NULL)" if isinstance(field, Column) else f"({kind} = 'null')"
        if isinstance(value, bool):
            return f"({kind} = '{'true' if value else 'false'}')"
        return f"({self._same_kind(kind, value)} AND {text} = {self._bind(value)})"

    def _contains(self, field: Column | Path, value: Scalar, *, folded: bool) -> str:
        kind, text = self._parts(field)
        wanted = self._bind(value)
        if not isinstance(value, str):
            within = "0"
        elif folded:
            within = f"({kind} = 'text' AND instr(fold({text}), fold({wanted})) > 0)"
        else:
            within = f"({kind} = 'text' AND instr({text}, {wanted}) > 0)"
        if isinstance(field, Column):
            return within
        item = "fold(item.value) = fold({0})" if folded else "item.value = {0}"
        if value is None or isinstance(value, bool):
            same = f"item.type = '{ {None: 'null', True: 'true', False: 'false'}[value] }'"
        else:
            same = f"{self._same_kind('item.type', value)} AND {item.format(wanted)}"
        path = self._bind(_path(field))
        among = f"EXISTS (SELECT 1 FROM json_each(m.metadata, {path}) item WHERE {same})"  # noqa: S608
        return f"({within} OR ({kind} = 'array' AND {among}))"

    def _parts(self, field: Column | Path) -> tuple[str, str]:
        """SQL for the kind of the value and for the value."""
        if isinstance(field, Column):
            return f"typeof(m.{field.name})", f"m.{field.name}"
        path = self._bind(_path(field))
        return f"json_type(m.metadata, {path})", f"json_extract(m.metadata, {path})"

    def _same_kind(self, kind: str, value: Scalar) -> str:
        if isinstance(value, str):
            return f"{kind} = 'text'"
        return "0" if value is None or isinstance(value, bool) else f"{kind} IN ('integer', 'real')"

    def _bind(self, value: Scalar) -> str:
        name = f"c{len(self.bindings)}"
        self.bindings[name] = value
        return f":{name}"


def _path(field: Path) -> str:
    return "$" + "".join(f'."{key}"' for key in field.keys)

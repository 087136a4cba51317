"""From a filter in JSON to a condition.

``{"topic": "tea", "importance": {"gte": 0.5}}`` means both; ``AND``, ``OR`` and ``NOT`` nest. A name is a field of a
memory, else a key of its metadata; dots lead into objects, and ``metadata.`` in front says which is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from mcp_server.backends.conditions import (
    AllOf,
    AnyOf,
    Column,
    Comparison,
    Condition,
    Operator,
    Path,
    Scalar,
    Without,
)
from mcp_server.memory.errors import InvalidRequest
from mcp_server.memory.times import from_text
from mcp_server.problems import did_you_mean

__all__ = ["chosen", "parse_filters"]

_OPERATORS: tuple[str, ...] = get_args(Operator)
_COLUMNS = ("id", "content", "memory_type", "agent_id", "run_id", "importance", "version")
_TIMES = ("created_at", "updated_at", "expires_at")
_DEEPEST = 8
_MOST_COMPARISONS = 64
_MOST_VALUES = 100


def chosen(
    filters: dict[str, Any] | None, memory_types: Sequence[str] | None, agent_id: str | None, run_id: str | None
) -> Condition:
    """Everything a request says about which memories it means.

    Raises:
        InvalidRequest: As :func:`parse_filters`.
    """
    parts: list[Condition] = [parse_filters(filters)] if filters else []
    if memory_types is not None:
        parts.append(Comparison(Column("memory_type"), "in", tuple(memory_types)))
    if agent_id is not None:
        parts.append(Comparison(Column("agent_id"), "eq", agent_id))
    if run_id is not None:
        parts.append(Comparison(Column("run_id"), "eq", run_id))
    return AllOf(tuple(parts))


def parse_filters(filters: dict[str, Any]) -> Condition:
    """The condition that ``filters`` spells.

    Raises:
        InvalidRequest: An unknown operator, a value that does not fit it, or too much of either.
    """
    return _Parser().object(filters, 1)


class _Parser:
    def __init__(self) -> None:
        self._comparisons = 0

    def object(self, node: object, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise InvalidRequest(f"filters: nested deeper than {_DEEPEST}")
        if not isinstance(node, dict):
            raise InvalidRequest(f"filters: an object is due, got {type(node).__name__}")
        pairs = cast("dict[str, Any]", node).items()
        return AllOf(tuple(self._pair(name, value, depth) for name, value in pairs))

    def _pair(self, name: str, value: Any, depth: int) -> Condition:
        match name:
            case "AND":
                return AllOf(self._list(name, value, depth))
            case "OR":
                return AnyOf(self._list(name, value, depth))
            case "NOT":
                nodes = cast("list[Any]", value) if isinstance(value, list) else [value]
                return Without(AnyOf(self._list(name, nodes, depth)))
            case _:
                return self._field(name, value)

    def _list(self, name: str, value: Any, depth: int) -> tuple[Condition, ...]:
        if not isinstance(value, list):
            raise InvalidRequest(f"filters: {name} takes a list of objects")
        return tuple(self.object(node, depth + 1) for node in cast("list[Any]", value))

    def _field(self, name: str, value: Any) -> Condition:
        field = _field(name)
        pairs = cast("dict[str, Any]", value) if isinstance(value, dict) else {"eq": value}
        return AllOf(tuple(self._comparison(name, field, operator, operand) for operator, operand in pairs.items()))

    def _comparison(self, name: str, field: Column | Path, operator: str, value: Any) -> Comparison:
        self._comparisons += 1
        if self._comparisons > _MOST_COMPARISONS:
            raise InvalidRequest(f"filters: more than {_MOST_COMPARISONS} comparisons")
        if operator not in _OPERATORS:
            raise InvalidRequest(
                f"filters: '{name:.64}': no operator '{operator:.32}'{did_you_mean(operator, _OPERATORS)}"
            )
        if operator not in ("in", "nin"):
            return Comparison(field, cast("Operator", operator), _scalar(name, operator, value))
        if not isinstance(value, list) or len(cast("list[Any]", value)) > _MOST_VALUES:
            raise InvalidRequest(f"filters: '{name:.64}': '{operator}' takes a list of at most {_MOST_VALUES} values")
        values = tuple(_scalar(name, operator, item) for item in cast("list[Any]", value))
        return Comparison(field, cast("Operator", operator), values)


def _field(name: str) -> Column | Path:
    if name == "user_id":
        raise InvalidRequest("filters: 'user_id' is the host's: a caller reaches its own memories alone")
    if name in _COLUMNS or name in _TIMES:
        return Column(cast("Any", name))
    keys = tuple(name.removeprefix("metadata.").split("."))
    if not all(keys) or len(keys) > _DEEPEST or len(name) > 256 or not name.isprintable() or {'"', "\\"} & set(name):
        raise InvalidRequest(f"filters: '{name[:64]!r}' is no name of a field or of a metadata key")
    return Path(keys)


def _scalar(name: str, operator: str, value: Any) -> Scalar:
    if value is not None and not isinstance(value, str | int | float):
        raise InvalidRequest(f"filters: '{name:.64}': '{operator}' does not compare with {type(value).__name__}")
    if operator in ("gt", "gte", "lt", "lte") and (value is None or isinstance(value, bool)):
        raise InvalidRequest(f"filters: '{name:.64}': '{operator}' takes a text or a number")
    if operator in ("icontains",) and not isinstance(value, str):
        raise InvalidRequest(f"filters: '{name:.64}': '{operator}' takes a text")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidRequest(f"filters: '{name:.64}': the number is too large")
    if name in _TIMES and value is not None:
        try:
            return from_text(str(value))
        except (ValueError, OverflowError):
            raise InvalidRequest(f"filters: '{name}' takes a time such as 2026-11-23T09:00:00Z") from None
    if isinstance(value, str):
        _check_text(name, value)
    return value


def _check_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"filters: '{name:.64}': half a surrogate pair is no text") from None

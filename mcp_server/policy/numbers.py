"""Numbers that stand under the same key in a manifest and in a grant: the lower one holds, and either side may be told.

Which numbers there are is said by those who own them, :mod:`.http_limits` and :mod:`.paths`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from mcp_server.policy.advice import manifest_fix, number_fix

__all__ = ["Bounds", "Number", "bounds_of"]

_Numbers = TypeVar("_Numbers")
"""A frozen dataclass of numbers."""


@dataclass(frozen=True, slots=True)
class Number:
    """One of them.

    Attributes:
        key: In ``[section]`` of a manifest and in ``[grants.<id>.section]``.
        name: The field that has it, in bytes or counts.
        unit: What one of the key's unit is of the field's.
    """

    key: str
    name: str
    unit: int = 1

    def of(self, numbers: object) -> float:
        """The number in the key's unit."""
        value = getattr(numbers, self.name)
        return value // self.unit if self.unit > 1 else value


@dataclass(frozen=True, slots=True)
class Bounds(Generic[_Numbers]):
    """The numbers of one plugin, from both sides.

    Attributes:
        granted: What the operator allows.
        asked: What the manifest says, by key, in the key's unit.
        effective: The lower one of each.
    """

    granted: _Numbers
    effective: _Numbers
    asked: Mapping[str, float] = field(default_factory=dict[str, float])

    def shown(self, numbers: Sequence[Number]) -> dict[str, dict[str, Any]]:
        """By key: what is requested (None where nothing is), granted and effective."""
        return {
            number.key: {
                "requested": self.asked.get(number.key),
                "granted": number.of(self.granted),
                "effective": number.of(self.effective),
            }
            for number in numbers
        }

    def fix(self, number: Number, most: _Numbers, plugin: str, section: str) -> str:
        """What is changed so that ``plugin`` gets more: its manifest, its grant, or both; empty at the ``most``."""
        value, highest = number.of(self.effective), number.of(most)
        own = number_fix(value, highest, plugin, section, number.key)
        if not own or self.asked.get(number.key, highest + 1) > value:
            return own
        asked = manifest_fix(plugin, section, number.key, min(2 * value, highest))
        return asked if number.of(self.granted) > value else f"{asked}; and {own}"


def bounds_of(granted: _Numbers, asked: Mapping[str, float], numbers: Sequence[Number]) -> Bounds[_Numbers]:
    """``granted``, lowered to what is ``asked`` where that is less; asking for more changes nothing."""
    lower = {
        number.name: min(asked[number.key] * number.unit, getattr(granted, number.name))
        for number in numbers
        if number.key in asked
    }
    return Bounds(granted, replace(granted, **lower), asked)  # pyright: ignore[reportArgumentType, reportUnknownVariableType, reportUnknownArgumentType]  # a dataclass

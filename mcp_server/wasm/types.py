"""What a module declares, as frozen values: types, imports, exports, sections.

Nothing here reads bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Export",
    "ExternKind",
    "ExternType",
    "FuncType",
    "GlobalType",
    "Import",
    "MemoryType",
    "Section",
    "TableType",
]

ExternKind = Literal["func", "table", "memory", "global", "tag"]


@dataclass(frozen=True, slots=True)
class FuncType:
    """A signature; value types are words as in the text format (``i32``, ``externref``, ``(ref null 3)``)."""

    params: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"({', '.join(self.params)}) -> ({', '.join(self.results)})"


@dataclass(frozen=True, slots=True)
class MemoryType:
    """A linear memory's size in pages of 64 KiB."""

    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class TableType:
    """A table's element type and its size in elements."""

    element: str
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class GlobalType:
    """A global's value type, and whether it can be assigned."""

    value: str
    mutable: bool


# A tag is described by the signature of what it carries.
ExternType = FuncType | MemoryType | TableType | GlobalType


@dataclass(frozen=True, slots=True)
class Import:
    """Something the module needs from its host."""

    module: str
    name: str
    kind: ExternKind
    type: ExternType


@dataclass(frozen=True, slots=True)
class Export:
    """Something the module shows under a name; `index` counts in the index space of its kind."""

    name: str
    kind: ExternKind
    index: int
    type: ExternType


@dataclass(frozen=True, slots=True)
class Section:
    """A section's id, its name (that of a custom section, or the format's word) and its size in bytes."""

    id: int
    name: str
    size: int

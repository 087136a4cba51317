"""A module as its bytes declare it, read before any engine sees them.

This is not a validator: it accepts no file that is malformed in its outline or outside the limits, but a module that it
accepts may still be refused by the engine, which checks instructions and expressions inside a worker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from mcp_server.errors import ModuleError
from mcp_server.wasm import sections
from mcp_server.wasm.code import check_bodies
from mcp_server.wasm.draft import Draft
from mcp_server.wasm.exports import is_reserved
from mcp_server.wasm.foreign import HEADER_BYTES, check_header
from mcp_server.wasm.limits import DEFAULT_LIMITS, ModuleLimits
from mcp_server.wasm.names import NAME_SECTION, check_function_names
from mcp_server.wasm.reader import Reader, malformed, refused
from mcp_server.wasm.types import Export, FuncType, Import, MemoryType, Section, TableType
from mcp_server.wasm.typesection import read_types

__all__ = ["Module", "read_module"]

# What Extism calls: an export without parameters that answers an i32 (0 is success) or nothing.
_CALLABLE = (FuncType((), ("i32",)), FuncType((), ()))


@dataclass(frozen=True, slots=True)
class Module:
    """What a module's bytes declare.

    Attributes:
        size: Length of the file in bytes.
        sha256: Digest of the file, as hex.
        imports: In the order of the file.
        exports: In the order of the file; names are unique.
        memories: All memories, imported ones first.
        tables: All tables, imported ones first.
        has_start: Whether a function runs when the module is instantiated.
        function_count: Functions with a body.
        sections: Every section, custom ones included, in the order of the file.
    """

    size: int
    sha256: str
    imports: tuple[Import, ...]
    exports: tuple[Export, ...]
    memories: tuple[MemoryType, ...]
    tables: tuple[TableType, ...]
    has_start: bool
    function_count: int
    sections: tuple[Section, ...]

    @property
    def custom_sections(self) -> tuple[tuple[str, int], ...]:
        """Name and size of each custom section, in the order of the file."""
        return tuple((section.name, section.size) for section in self.sections if section.id == 0)

    def callable_exports(self) -> tuple[str, ...]:
        """Names of the functions that Extism can call: no parameters, and an i32 or no result."""
        return tuple(item.name for item in self.exports if item.type in _CALLABLE and item.kind == "func")

    def tool_exports(self) -> tuple[str, ...]:
        """The callable functions an author meant to be called, in the order of the file."""
        return tuple(name for name in self.callable_exports() if not is_reserved(name))


def read_module(data: bytes, limits: ModuleLimits = DEFAULT_LIMITS, *, sha256: str | None = None) -> Module:
    """What the module in `data` declares.

    Args:
        data: The whole file.
        limits: How large it may be.
        sha256: The file's digest as hex, when the caller has it already.

    Raises:
        ModuleError: The file is no core module, is malformed, exceeds a limit, or uses what this host does not offer.
    """
    check_header(data)
    if len(data) > limits.max_bytes:
        raise ModuleError(
            f"the module is {len(data)} bytes long, more than {limits.max_bytes}",
            fix="build it in release mode and without debug information",
        )
    draft = Draft(limits)
    found = _read_sections(data, draft)
    draft.check_counts(len(data))
    return Module(
        size=len(data),
        sha256=sha256 or hashlib.sha256(data).hexdigest(),
        imports=tuple(draft.imports),
        exports=tuple(draft.exports),
        memories=tuple(draft.memories),
        tables=tuple(draft.tables),
        has_start=draft.has_start,
        function_count=draft.function_count,
        sections=found,
    )


def _read_types(reader: Reader, draft: Draft) -> None:
    draft.types = read_types(reader, draft.limits)


def _read_code(reader: Reader, draft: Draft) -> None:
    draft.body_count = check_bodies(reader, draft.limits)


_CUSTOM = 0
# Section id -> its word and its reader, in the order in which sections must stand.
_SECTIONS: dict[int, tuple[str, Callable[[Reader, Draft], None]]] = {
    1: ("type", _read_types),
    2: ("import", sections.read_imports),
    3: ("function", sections.read_functions),
    4: ("table", sections.read_tables),
    5: ("memory", sections.read_memories),
    13: ("tag", sections.read_tags),
    6: ("global", sections.read_globals),
    7: ("export", sections.read_exports),
    8: ("start", sections.read_start),
    9: ("element", sections.read_elements),
    12: ("data count", sections.read_data_count),
    10: ("code", _read_code),
    11: ("data", sections.read_data),
}
_RANK = {section: rank for rank, section in enumerate(_SECTIONS)}
_LARGE = frozenset({9, 10, 11})  # not read entry by entry, or with limits of their own


def _read_sections(data: bytes, draft: Draft) -> tuple[Section, ...]:
    file = Reader(data, HEADER_BYTES, len(data), "the module")
    found: list[Section] = []
    custom = 0
    rank = -1
    while file.remaining:
        at = file.position
        section = file.u8()
        size = file.u32()
        if section == _CUSTOM:
            custom += 1
            if custom > draft.limits.max_custom_sections:
                raise refused(f"the module has more custom sections than {draft.limits.max_custom_sections}", at)
            name = _read_custom(file.part(size, "a custom section"), draft, at)
        else:
            rank = _next_rank(section, rank, at)
            name = _SECTIONS[section][0]
            _read_known(file.part(size, f"the {name} section"), section, draft, at)
        found.append(Section(section, name, size))
    return tuple(found)


def _next_rank(section: int, last: int, at: int) -> int:
    rank = _RANK.get(section)
    if rank is None:
        raise malformed(f"unknown section id {section}", at)
    if rank == last:
        raise malformed(f"there are two {_SECTIONS[section][0]} sections", at)
    if rank < last:
        raise malformed(f"the {_SECTIONS[section][0]} section is out of order or there are two", at)
    return rank


def _read_known(reader: Reader, section: int, draft: Draft, at: int) -> None:
    if section not in _LARGE and reader.remaining > draft.limits.max_section_bytes:
        raise refused(
            f"{reader.where} is {reader.remaining} bytes long, more than {draft.limits.max_section_bytes}", at
        )
    _SECTIONS[section][1](reader, draft)
    reader.finish()


def _read_custom(reader: Reader, draft: Draft, at: int) -> str:
    name = reader.name(draft.limits.max_name_bytes)
    if name == NAME_SECTION:
        if draft.has_names:
            raise malformed("there are two name sections", at)
        draft.has_names = True
        check_function_names(reader, draft.limits)
    return name

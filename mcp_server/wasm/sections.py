"""One reader for each section of the binary format but the type, code and custom ones.

Element and data segments are counted, not decoded: their expressions and contents can do no harm before the engine,
which validates them inside the worker.
"""

from __future__ import annotations

from typing import assert_never

from mcp_server.wasm.draft import Draft
from mcp_server.wasm.reader import Reader, malformed, quote
from mcp_server.wasm.types import Export, ExternKind, ExternType, FuncType, Import
from mcp_server.wasm.values import read_global_type, read_memory_type, read_table_type, skip_constant

__all__ = [
    "read_data",
    "read_data_count",
    "read_elements",
    "read_exports",
    "read_functions",
    "read_globals",
    "read_imports",
    "read_memories",
    "read_start",
    "read_tables",
    "read_tags",
]

_KINDS: tuple[ExternKind, ...] = ("func", "table", "memory", "global", "tag")
_TABLE_WITH_INITIALIZER = 0x40

# The shortest element segment is a passive or declared empty one: flags, kind, count. The shortest data segment is a
# passive empty one: flags, length.
_SMALLEST_ELEMENT_SEGMENT = 3
_SMALLEST_DATA_SEGMENT = 2


def read_imports(reader: Reader, draft: Draft) -> None:
    """Imports, each of which also enters the index space of its kind."""
    limit = draft.limits.max_name_bytes
    for _ in range(reader.count("imports", limit=draft.limits.max_imports, smallest=4)):
        module, name = reader.name(limit), reader.name(limit)
        kind = _read_kind(reader)
        draft.imports.append(Import(module, name, kind, _read_import_type(reader, draft, kind)))


def read_functions(reader: Reader, draft: Draft) -> None:
    """The type of each function that has a body."""
    draft.function_count = reader.count("functions", limit=draft.limits.max_functions)
    for _ in range(draft.function_count):
        at = reader.position
        draft.functions.append(draft.signature(reader.u32(), at))


def read_tables(reader: Reader, draft: Draft) -> None:
    """Tables, some with an expression that fills them."""
    for _ in range(reader.count("tables", limit=draft.limits.max_tables, smallest=3)):
        at = reader.position
        filled = reader.data[at : at + 1] == bytes([_TABLE_WITH_INITIALIZER])
        if filled:
            reader.skip(1)
            if reader.u8():
                raise malformed("a table has an unknown form", at)
        draft.add_table(read_table_type(reader, gc=draft.limits.allow_gc), at)
        if filled:
            skip_constant(reader)


def read_memories(reader: Reader, draft: Draft) -> None:
    """Memories. One too many is refused where it stands, after those before it were checked."""
    for _ in range(reader.count("memories", limit=draft.limits.max_memories, smallest=2)):
        at = reader.position
        draft.add_memory(read_memory_type(reader), at)


def read_tags(reader: Reader, draft: Draft) -> None:
    """Exception tags."""
    for _ in range(reader.count("tags", limit=draft.limits.max_tags, smallest=2)):
        at = reader.position
        draft.add_tag(_read_tag_type(reader, draft), at)


def read_globals(reader: Reader, draft: Draft) -> None:
    """Globals; the expressions that set them are passed over."""
    for _ in range(reader.count("globals", limit=draft.limits.max_globals, smallest=4)):
        at = reader.position
        draft.add_global(read_global_type(reader, gc=draft.limits.allow_gc), at)
        skip_constant(reader)


def read_exports(reader: Reader, draft: Draft) -> None:
    """Exports, under names that must differ."""
    names: set[str] = set()
    for _ in range(reader.count("exports", limit=draft.limits.max_exports, smallest=3)):
        at = reader.position
        name = reader.name(draft.limits.max_name_bytes)
        if name in names:
            raise malformed(f"two exports are called {quote(name)}", at)
        names.add(name)
        kind = _read_kind(reader)
        at = reader.position
        index = reader.u32()
        draft.exports.append(Export(name, kind, index, draft.extern(kind, index, at)))


def read_start(reader: Reader, draft: Draft) -> None:
    """The function that runs when the module is instantiated."""
    at = reader.position
    index = reader.u32()
    signature = draft.extern("func", index, at)
    if signature != FuncType((), ()):
        raise malformed(f"the start function {index} has the type {signature} in place of () -> ()", at)
    draft.has_start = True


def read_elements(reader: Reader, draft: Draft) -> None:
    """How many element segments there are."""
    limit = draft.limits.max_element_segments
    _skip_segments(reader, reader.count("element segments", limit=limit, smallest=_SMALLEST_ELEMENT_SEGMENT))


def read_data_count(reader: Reader, draft: Draft) -> None:
    """How many data segments will follow, told early for the code between."""
    draft.data_count = reader.u32()


def read_data(reader: Reader, draft: Draft) -> None:
    """How many data segments there are."""
    limit = draft.limits.max_data_segments
    draft.segment_count = reader.count("data segments", limit=limit, smallest=_SMALLEST_DATA_SEGMENT)
    _skip_segments(reader, draft.segment_count)


def _skip_segments(reader: Reader, number: int) -> None:
    if number:
        reader.skip(reader.remaining)


def _read_kind(reader: Reader) -> ExternKind:
    at = reader.position
    code = reader.u8()
    if code >= len(_KINDS):
        raise malformed(f"{reader.where} holds an entry of the unknown kind {code:#04x}", at)
    return _KINDS[code]


def _read_tag_type(reader: Reader, draft: Draft) -> FuncType:
    at = reader.position
    if reader.u8():
        raise malformed(f"a tag in {reader.where} has an unknown attribute", at)
    at = reader.position
    return draft.signature(reader.u32(), at)


def _read_import_type(reader: Reader, draft: Draft, kind: ExternKind) -> ExternType:
    at = reader.position
    gc = draft.limits.allow_gc
    match kind:
        case "func":
            draft.functions.append(signature := draft.signature(reader.u32(), at))
            return signature
        case "table":
            draft.add_table(table := read_table_type(reader, gc=gc), at)
            return table
        case "memory":
            draft.add_memory(memory := read_memory_type(reader), at)
            return memory
        case "global":
            draft.add_global(value := read_global_type(reader, gc=gc), at)
            return value
        case "tag":
            draft.add_tag(tag := _read_tag_type(reader, draft), at)
            return tag
        case _:
            assert_never(kind)

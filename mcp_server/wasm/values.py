"""Decoding of what several sections share: value types, size limits and constant expressions.

It refuses what this host does not offer (shared, 64-bit and custom-page memories, GC types). Constant expressions are
passed over, not evaluated: the engine type-checks them inside the worker.
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_server.wasm.reader import Reader, malformed, refused
from mcp_server.wasm.types import GlobalType, MemoryType, TableType

__all__ = [
    "NO_GC",
    "PLAIN_VALUES",
    "read_global_type",
    "read_memory_type",
    "read_reference_type",
    "read_table_type",
    "read_value_type",
    "skip_constant",
]

NO_GC = "this host does not offer WebAssembly GC, whose heap no memory limit covers"

_NUMBERS = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"}
_ABSTRACT = {0x70: "func", 0x6F: "extern", 0x69: "exn", 0x73: "nofunc", 0x72: "noextern", 0x74: "noexn"}
_ABSTRACT_GC = {0x6E: "any", 0x6D: "eq", 0x6C: "i31", 0x6B: "struct", 0x6A: "array", 0x71: "none"}
_BOTTOM_SHORTHANDS = {"none": "nullref", "nofunc": "nullfuncref", "noextern": "nullexternref", "noexn": "nullexnref"}
_REF_NULL, _REF = 0x63, 0x64

# Value types of one byte that need no look at the limits; bodies are full of them.
PLAIN_VALUES = {
    **_NUMBERS,
    **{byte: _BOTTOM_SHORTHANDS.get(word, f"{word}ref") for byte, word in _ABSTRACT.items()},
}


def read_value_type(reader: Reader, *, gc: bool) -> str:
    """A value type as a word of the text format.

    Raises:
        ModuleError: It is unknown, or a GC reference while `gc` is off.
    """
    at = reader.position
    byte = reader.u8()
    word = PLAIN_VALUES.get(byte)
    if word is not None:
        return word
    if byte in (_REF_NULL, _REF):
        return _read_reference(reader, nullable=byte == _REF_NULL, gc=gc)
    if byte in _ABSTRACT_GC:
        return _shorthand(_heap_word(byte, at, gc=gc))
    raise malformed(f"{reader.where} holds an unknown value type {byte:#04x}", at)


def read_reference_type(reader: Reader, *, gc: bool) -> str:
    """A value type that a table can hold.

    Raises:
        ModuleError: As `read_value_type`, or it is a number or a vector.
    """
    at = reader.position
    word = read_value_type(reader, gc=gc)
    if word in _NUMBERS.values():
        raise malformed(f"{reader.where} holds a table of {word}, which is no reference type", at)
    return word


def read_memory_type(reader: Reader) -> MemoryType:
    """A memory's limits, in pages of 64 KiB.

    Raises:
        ModuleError: The memory is shared, 64-bit, of custom page size, or its minimum is above its maximum.
    """
    minimum, maximum = _read_limits(reader, "memory")
    return MemoryType(minimum, maximum)


def read_table_type(reader: Reader, *, gc: bool) -> TableType:
    """A table's element type and limits.

    Raises:
        ModuleError: The table is shared or 64-bit, or its minimum is above its maximum.
    """
    element = read_reference_type(reader, gc=gc)
    minimum, maximum = _read_limits(reader, "table")
    return TableType(element, minimum, maximum)


def read_global_type(reader: Reader, *, gc: bool) -> GlobalType:
    """A global's value type and mutability.

    Raises:
        ModuleError: The type is unknown, or the global is shared.
    """
    value = read_value_type(reader, gc=gc)
    at = reader.position
    mutability = reader.u8()
    if mutability > 1:
        raise malformed(f"a global in {reader.where} has the unknown mutability {mutability:#04x}", at)
    return GlobalType(value, mutability == 1)


def skip_constant(reader: Reader) -> None:
    """Pass over a constant expression up to and with its `end`.

    Raises:
        ModuleError: It holds an instruction that is not allowed in one, or is cut short.
    """
    while True:
        at = reader.position
        opcode = reader.u8()
        if opcode == _END:
            return
        skip = _IMMEDIATES.get(opcode)
        if skip is None:
            raise malformed(f"{reader.where} holds {opcode:#04x}, which no constant expression may", at)
        skip(reader)


def _read_reference(reader: Reader, *, nullable: bool, gc: bool) -> str:
    at = reader.position
    heap = reader.s33()
    if heap >= 0:
        return f"(ref null {heap})" if nullable else f"(ref {heap})"
    # A negative heap type is the one-byte code of the abstract type, read as a signed number.
    word = _heap_word(heap & 0x7F if heap >= -0x40 else heap, at, gc=gc)
    return _shorthand(word) if nullable else f"(ref {word})"


def _heap_word(code: int, at: int, *, gc: bool) -> str:
    if code in _ABSTRACT_GC and not gc:
        raise refused(f"the module uses {_shorthand(_ABSTRACT_GC[code])}; {NO_GC}", at, "compile without GC")
    word = _ABSTRACT.get(code) or _ABSTRACT_GC.get(code)
    if word is None:
        raise malformed(f"unknown heap type {code:#x}", at)
    return word


def _shorthand(word: str) -> str:
    return _BOTTOM_SHORTHANDS.get(word, f"{word}ref")


# Bits of the flags before a memory's or table's limits, above the lowest, which says that a maximum follows.
_REFUSED_FLAGS = (
    (0x02, "is shared between threads", "compile without threads"),
    (0x04, "has 64-bit addresses (memory64)", "compile for wasm32"),
    (0x08, "has a custom page size", "compile with pages of 64 KiB"),
)


def _read_limits(reader: Reader, what: str) -> tuple[int, int | None]:
    at = reader.position
    flags = reader.u8()
    if flags > 0x0F:
        raise malformed(f"a {what} in {reader.where} has unknown flags {flags:#04x}", at)
    for bit, trait, fix in _REFUSED_FLAGS:
        if flags & bit:
            raise refused(f"a {what} in {reader.where} {trait}; this host does not offer that", at, fix)
    minimum = reader.u32()
    maximum = reader.u32() if flags else None
    if maximum is not None and minimum > maximum:
        raise malformed(f"a {what} in {reader.where} has the minimum {minimum} above its maximum {maximum}", at)
    return minimum, maximum


def _skip_nothing(_: Reader) -> None:
    """An instruction without immediates."""


def _skip_f32(reader: Reader) -> None:
    reader.skip(4)


def _skip_f64(reader: Reader) -> None:
    reader.skip(8)


def _skip_vector(reader: Reader) -> None:
    at = reader.position
    if reader.u32() != _V128_CONST:
        raise malformed(f"{reader.where} holds a vector instruction that no constant expression may", at)
    reader.skip(16)


def _skip_gc(reader: Reader) -> None:
    at = reader.position
    indexes = _GC_INDEXES.get(reader.u32())
    if indexes is None:
        raise malformed(f"{reader.where} holds a GC instruction that no constant expression may", at)
    for _ in range(indexes):
        reader.u32()


_END = 0x0B
_V128_CONST = 0x0C
# struct.new, struct.new_default, array.new, array.new_default, array.new_fixed, any.convert_extern,
# extern.convert_any, ref.i31: how many indexes or sizes follow. They need a type that the type section refuses.
_GC_INDEXES = {0: 1, 1: 1, 6: 1, 7: 1, 8: 2, 26: 0, 27: 0, 28: 0}
_IMMEDIATES: dict[int, Callable[[Reader], object]] = {
    0x23: Reader.u32,  # global.get
    0x41: Reader.s32,  # i32.const
    0x42: Reader.s64,  # i64.const
    0x43: _skip_f32,
    0x44: _skip_f64,
    **dict.fromkeys((0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E), _skip_nothing),  # add, sub, mul of i32 and i64
    0xD0: Reader.s33,  # ref.null
    0xD2: Reader.u32,  # ref.func
    0xFB: _skip_gc,
    0xFD: _skip_vector,
}

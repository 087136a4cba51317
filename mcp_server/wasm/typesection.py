"""The type section: signatures, and the GC types when they are allowed."""

from __future__ import annotations

from mcp_server.wasm.limits import ModuleLimits
from mcp_server.wasm.reader import Reader, malformed, refused
from mcp_server.wasm.types import FuncType
from mcp_server.wasm.values import NO_GC, read_value_type

__all__ = ["read_types"]

_FUNC, _STRUCT, _ARRAY, _SUB, _SUB_FINAL, _REC = 0x60, 0x5F, 0x5E, 0x50, 0x4F, 0x4E
_GC_FORMS = {
    _STRUCT: "a struct",
    _ARRAY: "an array",
    _SUB: "a subtype",
    _SUB_FINAL: "a final subtype",
    _REC: "a recursive group",
}
_MAX_FIELDS = 10_000  # the bound of the engine
_PACKED = frozenset({0x78, 0x77})  # i8, i16: fields only


def read_types(reader: Reader, limits: ModuleLimits) -> list[FuncType | None]:
    """The types in index order; a struct or array holds its place as None.

    Raises:
        ModuleError: A type is malformed, of an unknown form, or needs GC while it is not allowed.
    """
    types: list[FuncType | None] = []
    for _ in range(reader.count("types", limit=limits.max_types)):
        at = reader.position
        form = _read_form(reader, limits)
        if form == _REC:
            number = reader.count("types of a group", limit=limits.max_types)
            types += [_read_type(reader, _read_form(reader, limits), limits) for _ in range(number)]
        else:
            types.append(_read_type(reader, form, limits))
        if len(types) > limits.max_types:
            raise refused(f"the type section holds more than the {limits.max_types} types this host takes", at)
    return types


def _read_form(reader: Reader, limits: ModuleLimits) -> int:
    at = reader.position
    form = reader.u8()
    if form == _FUNC:
        return form
    if form not in _GC_FORMS:
        raise malformed(f"{reader.where} holds a type of the unknown form {form:#04x}", at)
    if not limits.allow_gc:
        raise refused(f"{reader.where} holds {_GC_FORMS[form]} type; {NO_GC}", at, "compile without GC")
    return form


def _read_type(reader: Reader, form: int, limits: ModuleLimits) -> FuncType | None:
    """The rest of a type after its first byte."""
    if form in (_SUB, _SUB_FINAL):
        for _ in range(reader.count("supertypes", limit=1)):
            reader.u32()
        form = reader.u8()
    if form == _FUNC:
        return FuncType(_read_values(reader, "parameters", limits), _read_values(reader, "results", limits))
    if form == _ARRAY:
        _skip_field(reader, limits)
    elif form == _STRUCT:
        for _ in range(reader.count("fields", limit=_MAX_FIELDS, smallest=2)):
            _skip_field(reader, limits)
    else:
        raise malformed(f"{reader.where} holds a type of the misplaced form {form:#04x}", reader.position - 1)
    return None


def _read_values(reader: Reader, what: str, limits: ModuleLimits) -> tuple[str, ...]:
    number = reader.count(what, limit=limits.max_parameters)
    return tuple([read_value_type(reader, gc=limits.allow_gc) for _ in range(number)])


def _skip_field(reader: Reader, limits: ModuleLimits) -> None:
    if reader.remaining and reader.data[reader.position] in _PACKED:
        reader.skip(1)
    else:
        read_value_type(reader, gc=limits.allow_gc)
    at = reader.position
    if reader.u8() > 1:
        raise malformed(f"a field in {reader.where} has an unknown mutability", at)

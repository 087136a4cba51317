"""What a module declares, and each reason to refuse one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
import wasmtime

from mcp_server.errors import ModuleError
from mcp_server.wasm import (
    DEFAULT_LIMITS,
    Export,
    FuncType,
    GlobalType,
    Import,
    MemoryType,
    ModuleLimits,
    TableType,
    read_module,
)

HEADER = b"\0asm\1\0\0\0"
NO_TYPE = FuncType((), ())


def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def name(text: str | bytes) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return number(len(raw)) + raw


def several(entries: Iterable[bytes]) -> bytes:
    listed = list(entries)
    return number(len(listed)) + b"".join(listed)


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + number(len(content)) + content


def custom(title: str | bytes, content: bytes = b"") -> bytes:
    return section(0, name(title) + content)


TYPE = section(1, several([b"\x60\0\0"]))
FUNCTION = section(3, several([b"\0"]))
MEMORY = section(5, several([b"\0\1"]))
CODE = section(10, several([b"\x02\0\x0b"]))
DATA = section(11, several([b"\1\0"]))
ONE_FUNCTION = HEADER + TYPE + FUNCTION + CODE


def with_body(body: bytes) -> bytes:
    return HEADER + TYPE + FUNCTION + section(10, several([number(len(body)) + body]))


def refusal(data: bytes, limits: ModuleLimits = DEFAULT_LIMITS) -> str:
    with pytest.raises(ModuleError) as caught:
        read_module(data, limits)
    return caught.value.message


# What is read


def test_a_module_is_described_in_full() -> None:
    data = wat("""(module
        (type $t (func (param i32 i64) (result f32)))
        (import "agentmem" "log" (func (type $t)))
        (import "env" "base" (global i32))
        (table (export "table") 2 5 funcref)
        (memory (export "memory") 1 16)
        (global (export "count") (mut i64) (i64.const 7))
        (func $run (export "run") (result i32) (i32.const 0))
        (func $begin)
        (start $begin)
        (data (i32.const 0) "hello"))""")
    module = read_module(data)
    assert module.size == len(data)
    assert module.sha256 == hashlib.sha256(data).hexdigest()
    assert module.imports == (
        Import("agentmem", "log", "func", FuncType(("i32", "i64"), ("f32",))),
        Import("env", "base", "global", GlobalType("i32", mutable=False)),
    )
    assert module.exports == (
        Export("table", "table", 0, TableType("funcref", 2, 5)),
        Export("memory", "memory", 0, MemoryType(1, 16)),
        Export("count", "global", 1, GlobalType("i64", mutable=True)),
        Export("run", "func", 1, FuncType((), ("i32",))),
    )
    assert module.memories == (MemoryType(1, 16),)
    assert module.tables == (TableType("funcref", 2, 5),)
    assert module.has_start
    assert module.function_count == 2
    assert [item.name for item in module.sections if item.id] == [
        "type", "import", "function", "table", "memory", "global", "export", "start", "code", "data",
    ]  # fmt: skip


def test_the_empty_module_declares_nothing() -> None:
    module = read_module(HEADER)
    assert (module.imports, module.exports, module.function_count, module.has_start) == ((), (), 0, False)
    assert module.sections == ()


def test_a_digest_that_the_caller_knows_is_not_computed_again() -> None:
    assert read_module(HEADER, sha256="known").sha256 == "known"


def test_custom_sections_are_listed_with_their_sizes_wherever_they_stand() -> None:
    data = HEADER + custom("first") + TYPE + custom("second", b"\0" * 300) + FUNCTION + CODE + custom("first", b"1")
    assert read_module(data).custom_sections == (("first", 6), ("second", 307), ("first", 7))


def test_a_function_type_reads_as_a_signature() -> None:
    assert str(FuncType(("i32", "i64"), ("f32",))) == "(i32, i64) -> (f32)"


def test_callable_exports_take_nothing_and_answer_an_i32_or_nothing() -> None:
    module = read_module(
        wat("""(module (tag (export "tag")) (memory (export "memory") 1)
            (func (export "status") (result i32) (i32.const 0)) (func (export "nothing"))
            (func (export "long") (result i64) (i64.const 0)) (func (export "takes") (param i32))
            (func (export "two") (result i32 i32) (i32.const 0) (i32.const 0)))""")
    )
    assert module.callable_exports() == ("status", "nothing")


def test_tool_exports_leave_out_the_contract_and_the_toolchain() -> None:
    reserved = [
        "initialize", "start", "warmup", "stop", "metadata", "describe", "malloc", "free", "realloc", "calloc",
        "_start", "_initialize", "hs_init", "asyncify_stop_unwind", "__wasm_call_ctors", "__collect", "memory",
        "emscripten_stack_get_end", "wizer.initialize", "cabi_realloc", "go_scheduler",
    ]  # fmt: skip
    wanted = ["echo", "process", "_private", "starts", "memory_search"]
    module = read_module(wat("(module " + " ".join(f'(func (export "{item}"))' for item in [*reserved, *wanted]) + ")"))
    assert module.callable_exports() == (*reserved, *wanted)
    assert module.tool_exports() == tuple(wanted)


# Files that are something else


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"\0", "only 1 byte long (00)"),
        (b"a\0b", "only 3 bytes long (61 00 62)"),
        (b"\x01asm\1\0\0\0", "unknown binary data that begins with 01 61 73 6d"),
        (b"\n ;; a comment\n(module)", "WebAssembly text"),
        (b"(; block ;) (module)", "WebAssembly text"),
        (b"\xef\xbb\xbf(module (func))", "WebAssembly text"),
        (b"(component)", "WebAssembly component text"),
        (b'{"wasm": [{"path": "/etc/passwd"}], "allowed_hosts": ["*"]}', "JSON, perhaps an Extism manifest"),
        (b"[1, 2]", "JSON or TOML"),
        (b'[plugin]\nid = "a"\n', "TOML, perhaps a plugin.toml"),
        (b"manifest_version = 1\n", "TOML, perhaps a plugin.toml"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
        (b"\x7fELF\x02\x01\x01\0", "an ELF binary"),
        (b"PK\x03\x04\x14\0", "a zip archive"),
        (b"PK\x05\x06" + b"\0" * 18, "an empty zip archive"),
        (b"\x1f\x8b\x08\0", "a gzip file"),
        (b"\x28\xb5\x2f\xfd\0", "a zstd file"),
        (b"\xfd7zXZ\0\0", "an xz file"),
        (b"BZh91AY", "a bzip2 file"),
        (b"a/b.wasm".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (b"!<arch>\n/", "a static library"),
        (b"BC\xc0\xde5", "LLVM bitcode"),
        (b"MZ\x90\0", "a Windows executable"),
        (b"\xcf\xfa\xed\xfe\x07", "a Mach-O binary"),
        (b"\xca\xfe\xba\xbe\0", "a universal Mach-O binary or a Java class"),
        (b"%PDF-1.7", "a PDF document"),
        (b"#!/bin/sh\necho", "a script"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"<html>404", "an HTML page"),
        (b"<?xml version='1.0'?>", "XML or HTML"),
        ("(module)".encode("utf-16"), "UTF-16 text"),
        (b"fn main() {}", "text"),
        ("é".encode() * 5000, "text"),
        (b"a" + "é".encode() * 5000, "text"),
        (b"\xc3\xc3\xc3\xc3", "unknown binary data that begins with c3 c3 c3 c3"),
        (b"abc\0def", "unknown binary data"),
    ],
)
def test_a_file_of_another_kind_is_named(data: bytes, kind: str) -> None:
    with pytest.raises(ModuleError) as caught:
        read_module(data)
    assert caught.value.message.startswith(f"not a WebAssembly module: the file is {kind}")
    assert caught.value.fix


@pytest.mark.parametrize("version", [b"\x0d\0\1\0", b"\x0a\0\1\0"])
def test_a_component_is_told_from_a_core_module(version: bytes) -> None:
    assert refusal(b"\0asm" + version).startswith("a WebAssembly component")


def test_another_version_is_refused() -> None:
    assert "binary version 2 at byte 0x4" in refusal(b"\0asm\2\0\0\0")


@pytest.mark.parametrize("end", [4, 5, 7])
def test_a_header_that_is_cut_short_is_refused(end: int) -> None:
    assert f"the file ends after {end} bytes" in refusal(HEADER[:end])


# The outline


def test_a_section_that_is_cut_short_is_refused() -> None:
    assert "the module is cut short: 100 more bytes expected, 2 left" in refusal(HEADER + b"\x01\x64\0\0")


def test_an_unknown_section_is_refused() -> None:
    assert "unknown section id 14, at byte 0x8" in refusal(HEADER + section(14, b""))


def test_a_section_twice_is_refused() -> None:
    assert "there are two type sections" in refusal(HEADER + TYPE + TYPE)


@pytest.mark.parametrize(
    "data",
    [
        CODE + FUNCTION,
        FUNCTION + CODE + section(12, b"\0"),
        MEMORY + section(2, b"\0"),
        section(12, b"\0") + section(9, b"\0"),
        section(6, b"\0") + section(13, b"\0"),
        section(13, b"\0") + MEMORY,
    ],
)
def test_sections_out_of_order_are_refused(data: bytes) -> None:
    assert "section is out of order or there are two" in refusal(HEADER + TYPE + data)


def test_the_tag_and_data_count_sections_stand_out_of_the_order_of_their_ids() -> None:
    data = HEADER + TYPE + FUNCTION + MEMORY + section(13, several([b"\0\0"])) + section(6, b"\0")
    assert read_module(data + section(9, b"\0") + section(12, b"\1") + CODE + DATA).function_count == 1


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (1, "type"),
        (3, "function"),
        (4, "table"),
        (5, "memory"),
        (6, "global"),
        (7, "export"),
        (9, "element"),
        (11, "data"),
    ],
)
def test_bytes_after_the_last_entry_are_refused(kind: int, word: str) -> None:
    assert f"the {word} section has 1 bytes left over" in refusal(HEADER + section(kind, b"\0\0"))


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13])
def test_a_count_that_the_section_cannot_hold_is_refused(kind: int) -> None:
    message = refusal(HEADER + section(kind, number(1)))
    assert "too short to hold them" in message
    assert "more than" in refusal(HEADER + section(kind, number(2**32 - 1)))


def test_functions_and_bodies_must_be_as_many() -> None:
    assert "1 functions are declared but 0 have a body" in refusal(HEADER + TYPE + FUNCTION)
    assert "0 functions are declared but 1 have a body" in refusal(HEADER + TYPE + CODE)


def test_the_data_count_must_hold() -> None:
    assert "2 data segments are declared but 1 follow" in refusal(HEADER + section(12, b"\2") + DATA)
    assert "1 data segments are declared but 0 follow" in refusal(HEADER + section(12, b"\1"))


# Names


@pytest.mark.parametrize("character", ["\\00", "\\0a", "\\1b", "\\7f", "\\c2\\9b"])
@pytest.mark.parametrize("where", ['(import "a{}b" "f" (func))', '(import "a" "f{}" (func))', '(func (export "f{}"))'])
def test_a_control_character_in_the_name_of_an_import_or_export_is_refused(where: str, character: str) -> None:
    message = refusal(wat(f"(module {where.format(character)})"))
    assert "control character" in message
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", message)


def test_a_name_that_is_not_utf8_is_refused() -> None:
    assert "not UTF-8" in refusal(HEADER + TYPE + section(2, several([name(b"\xff") + name("f") + b"\0\0"])))
    assert "not UTF-8" in refusal(HEADER + custom(b"\xff"))


def test_a_control_character_in_a_custom_sections_name_is_refused() -> None:
    assert "a name in a custom section holds a control character" in refusal(HEADER + custom("a\0"))


def test_the_contents_of_other_custom_sections_are_not_looked_at() -> None:
    assert read_module(HEADER + custom("producers", b"\0\xff\n")).custom_sections == (("producers", 13),)


def name_section(*parts: tuple[int, bytes]) -> bytes:
    return custom("name", b"".join(section(kind, content) for kind, content in parts))


def namings(*names: str | bytes) -> bytes:
    return several(number(index) + name(text) for index, text in enumerate(names))


@pytest.mark.parametrize("character", ["\0", "\n", "\x1b", "\x7f", "\x85"])
def test_a_control_character_in_a_function_name_is_refused_because_backtraces_print_it(character: str) -> None:
    for part in ((1, namings("ok", f"a{character}b")), (0, name(f"m{character}"))):
        assert "the name section holds a control character" in refusal(ONE_FUNCTION + name_section(part))


def test_function_names_are_read_wherever_the_name_section_stands() -> None:
    assert "control character" in refusal(HEADER + name_section((1, namings("a\0"))) + ONE_FUNCTION[8:])


def test_honest_function_names_and_the_names_of_locals_are_taken() -> None:
    locals_of_one = several([number(0) + namings("x\0")])
    parts = ((0, name("plugin")), (1, namings("core::fmt::{impl#3}<T>", "größe", "")), (2, locals_of_one), (9, b"\0"))
    assert read_module(ONE_FUNCTION + name_section(*parts)).custom_sections[0][0] == "name"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (section(1, namings("a")) * 2, "two parts of kind 1"),
        (section(7, b"") * 2, "two parts of kind 7"),
        (section(1, number(9) + b"\0\1a"), "declares 9 function names but is too short"),
        (section(1, number(1) + b"\0\x05a"), "cut short"),
        (section(1, number(1) + b"\0\1\xff"), "not UTF-8"),
        (section(1, namings("a") + b"\0"), "left over"),
        (b"\1\x7f\0", "cut short"),
    ],
)
def test_a_malformed_name_section_is_refused(content: bytes, problem: str) -> None:
    assert problem in refusal(ONE_FUNCTION + custom("name", content))


def test_a_second_name_section_is_refused() -> None:
    assert "two name sections" in refusal(ONE_FUNCTION + custom("name") + custom("name"))


def test_two_exports_of_one_name_are_refused() -> None:
    export = name("run") + b"\0\0"
    assert "two exports are called 'run'" in refusal(HEADER + TYPE + FUNCTION + section(7, several([export, export])))


# Indexes and kinds


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (TYPE + section(3, several([b"\1"])), "type 1 is used but the module has 1"),
        (section(2, several([name("a") + name("b") + b"\0\0"])), "type 0 is used but the module has 0"),
        (section(2, several([name("a") + name("b") + b"\5\0"])), "unknown kind 0x05"),
        (section(7, several([name("a") + b"\0\0"])), "func 0 is used but the module has 0"),
        (section(7, several([name("a") + b"\1\0"])), "table 0 is used"),
        (section(7, several([name("a") + b"\2\0"])), "memory 0 is used"),
        (section(7, several([name("a") + b"\3\0"])), "global 0 is used"),
        (section(7, several([name("a") + b"\4\0"])), "tag 0 is used"),
        (section(7, several([name("a") + b"\x09\0"])), "unknown kind 0x09"),
        (section(8, b"\0"), "func 0 is used but the module has 0"),
        (TYPE + section(13, several([b"\1\0"])), "unknown attribute"),
        (TYPE + section(13, several([b"\0\7"])), "type 7 is used"),
        (section(1, several([b"\x60\0\1\x7f"])) + section(13, several([b"\0\0"])), "which has results"),
    ],
)
def test_an_index_or_kind_that_does_not_exist_is_refused(data: bytes, problem: str) -> None:
    assert problem in refusal(HEADER + data)


def test_a_start_function_takes_and_answers_nothing() -> None:
    types = section(1, several([b"\x60\1\x7f\0"]))
    assert "the start function 0 has the type (i32) -> ()" in refusal(HEADER + types + FUNCTION + section(8, b"\0"))


# Types


@pytest.mark.parametrize(
    ("entry", "trait"),
    [
        (b"\x4e\0", "a recursive group"),
        (b"\x50\0\x5f\0", "a subtype"),
        (b"\x4f\0\x5f\0", "a final subtype"),
        (b"\x5f\0", "a struct"),
        (b"\x5e\x7f\0", "an array"),
    ],
)
def test_gc_types_are_refused_unless_they_are_allowed(entry: bytes, trait: str) -> None:
    message = refusal(HEADER + section(1, several([entry])))
    assert trait in message
    assert "this host does not offer WebAssembly GC" in message
    assert read_module(HEADER + section(1, several([entry])), ModuleLimits(allow_gc=True))


@pytest.mark.parametrize("code", [0x6E, 0x6D, 0x6C, 0x6B, 0x6A, 0x71])
def test_references_to_the_gc_heap_are_refused_unless_they_are_allowed(code: int) -> None:
    for value in (bytes([code]), bytes([0x63, code]), bytes([0x64, code])):
        data = HEADER + section(1, several([b"\x60" + several([value]) + b"\0"]))
        assert "this host does not offer WebAssembly GC" in refusal(data)
        assert read_module(data, ModuleLimits(allow_gc=True))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (b"\x5d\0", "unknown form 0x5d"),
        (b"\x60\1\x40\0", "unknown value type 0x40"),
        (b"\x60\1\x63\x40\0", "unknown heap type 0x40"),
        (b"\x60\1\x63\x80\x7f\0", "unknown heap type"),
        (b"\x60\1\x65\x70\0", "unknown value type 0x65"),
    ],
)
def test_an_unknown_type_is_refused(entry: bytes, problem: str) -> None:
    assert problem in refusal(HEADER + section(1, several([entry])))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (b"\x4e\1\x4e\0", "misplaced form 0x4e"),
        (b"\x5e\x7f\2", "unknown mutability"),
        (b"\x50\2\0\0\x5f\0", "declares 2 supertypes"),
    ],
)
def test_a_malformed_gc_type_is_refused(entry: bytes, problem: str) -> None:
    assert problem in refusal(HEADER + section(1, several([entry])), ModuleLimits(allow_gc=True))


def test_a_struct_is_no_function_type() -> None:
    data = HEADER + section(1, several([b"\x5f\1\x78\1"])) + FUNCTION + CODE
    assert "type 0 is used as a function's but is none" in refusal(data, ModuleLimits(allow_gc=True))


# Memories, tables, globals


@pytest.mark.parametrize(
    ("flags", "trait"), [(2, "shared"), (3, "shared"), (4, "memory64"), (8, "custom page size"), (16, "unknown flags")]
)
def test_memory_kinds_that_limits_do_not_cover_are_refused(flags: int, trait: str) -> None:
    entry = bytes([flags]) + b"\1\1\1"
    assert trait in refusal(HEADER + section(5, several([entry])))
    assert trait in refusal(HEADER + section(2, several([name("a") + name("b") + b"\2" + entry])))


@pytest.mark.parametrize(("flags", "trait"), [(2, "shared"), (4, "64-bit addresses"), (16, "unknown flags")])
def test_table_kinds_that_limits_do_not_cover_are_refused(flags: int, trait: str) -> None:
    assert trait in refusal(HEADER + section(4, several([b"\x70" + bytes([flags]) + b"\1\1"])))


def test_a_minimum_above_the_maximum_is_refused() -> None:
    assert "the minimum 2 above its maximum 1" in refusal(HEADER + section(5, several([b"\1\2\1"])))
    assert "the minimum 2 above its maximum 1" in refusal(HEADER + section(4, several([b"\x70\1\2\1"])))


def test_one_memory_is_taken_and_a_second_refused() -> None:
    imported = section(2, several([name("a") + name("b") + b"\2\0\1"]))
    assert read_module(HEADER + imported).memories == (MemoryType(1, None),)
    assert "more memories than the 1" in refusal(HEADER + imported + MEMORY)
    assert "declares 2 memories, more than the 1" in refusal(HEADER + section(5, several([b"\0\1"] * 2)))


def test_a_memory_may_start_with_100_mib_and_not_a_page_more() -> None:
    assert read_module(HEADER + section(5, several([b"\0" + number(1600)])))
    assert "starts with 1601 pages" in refusal(HEADER + section(5, several([b"\0" + number(1601)])))


def test_a_memory_may_declare_to_grow_to_all_that_32_bits_address() -> None:
    assert read_module(HEADER + section(5, several([b"\1\1" + number(65536)])))
    assert "more than 65536 pages" in refusal(HEADER + section(5, several([b"\1\1" + number(65537)])))


def test_tables_together_may_start_with_a_million_elements() -> None:
    half = b"\x70\0" + number(500_000)
    assert len(read_module(HEADER + section(4, several([half, half]))).tables) == 2
    assert "the tables start with 1500000 elements" in refusal(HEADER + section(4, several([half] * 3)))


def test_a_table_may_declare_to_grow_to_a_million_elements() -> None:
    assert read_module(HEADER + section(4, several([b"\x70\1\1" + number(1_000_000)])))
    assert "may grow to 1000001" in refusal(HEADER + section(4, several([b"\x70\1\1" + number(1_000_001)])))


def test_a_table_of_numbers_is_refused() -> None:
    assert "a table of i32" in refusal(HEADER + section(4, several([b"\x7f\0\1"])))


@pytest.mark.parametrize("expression", [b"\xd0\x70\x0b", b"\xd2\0\x0b", b"\x23\0\x0b"])
def test_a_table_with_an_initializer_is_read(expression: bytes) -> None:
    data = HEADER + section(4, several([b"\x40\0\x70\0\1" + expression, b"\x6f\0\2"]))
    assert read_module(data).tables == (TableType("funcref", 1, None), TableType("externref", 2, None))
    assert "unknown form" in refusal(HEADER + section(4, several([b"\x40\1\x70\0\1" + expression])))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (b"\x7f\2\x41\0\x0b", "unknown mutability 0x02"),
        (b"\x7f\0\x10\0\x0b", "holds 0x10, which no constant expression may"),
        (b"\x7f\0\x41\0\x6a", "cut short"),
        (b"\x7b\0\xfd\x0d\0" + b"\0" * 16, "a vector instruction that no constant expression may"),
        (b"\x7f\0\xfb\x09\x0b", "a GC instruction that no constant expression may"),
        (b"\x7c\0\x44\0\x0b", "cut short"),
    ],
)
def test_a_malformed_global_is_refused(entry: bytes, problem: str) -> None:
    assert problem in refusal(HEADER + section(6, several([entry])))


# Code


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"\0\1", "does not finish with an end"),
        (b"\1\1\x7f", "does not finish with an end"),
        (b"\x7f\x0b", "declares locals 127 times but is too short"),
        (b"\1\1\x40\x0b", "unknown value type 0x40"),
        (b"\1\1\x6e\x0b", "does not offer WebAssembly GC"),
        (b"\1\xff\xff\xff\xff\x0f\x7f\x0b", "has more locals than 50000"),
        (b"\2" + number(30_000) + b"\x7f" + number(30_000) + b"\x7e\x0b", "has more locals than 50000"),
    ],
)
def test_a_malformed_body_is_refused(body: bytes, problem: str) -> None:
    assert problem in refusal(with_body(body))


def test_a_body_cut_short_is_refused() -> None:
    assert "the code section is cut short" in refusal(HEADER + TYPE + FUNCTION + section(10, b"\1\x09\0\x0b"))


def test_a_body_may_declare_50_000_locals() -> None:
    assert read_module(with_body(b"\2" + number(50_000) + b"\x7f" + number(0) + b"\x63\0\x0b")).function_count == 1


def test_a_body_may_be_as_long_as_the_limit() -> None:
    body = b"\0" + b"\1" * 97 + b"\x0b"
    assert read_module(with_body(body), ModuleLimits(max_function_bytes=99))
    assert "function body 0 is 99 bytes long, more than 98" in refusal(
        with_body(body), ModuleLimits(max_function_bytes=98)
    )


# Limits


@pytest.mark.parametrize(
    ("text", "limit", "problem"),
    [
        ("(module (func) (func))", "max_functions", "declares 2 functions, more than the 1"),
        ("(module (type (func)) (type (func (param i32))))", "max_types", "declares 2 types, more than the 1"),
        ("(module (type (func (param i32 i32))))", "max_parameters", "declares 2 parameters, more than the 1"),
        ("(module (type (func (result i32 i32))))", "max_parameters", "declares 2 results, more than the 1"),
        (
            '(module (import "a" "b" (func)) (import "a" "c" (func)))',
            "max_imports",
            "declares 2 imports, more than the 1",
        ),
        ('(module (func (export "a") (export "b")))', "max_exports", "declares 2 exports, more than the 1"),
        ("(module (global i32 (i32.const 0)) (global i32 (i32.const 0)))", "max_globals", "declares 2 globals"),
        ('(module (import "a" "b" (global i32)) (global i32 (i32.const 0)))', "max_globals", "more globals than the 1"),
        ("(module (tag) (tag))", "max_tags", "declares 2 tags, more than the 1"),
        ('(module (import "a" "b" (tag)) (tag))', "max_tags", "more tags than the 1"),
        ("(module (table 1 funcref) (table 1 funcref))", "max_tables", "declares 2 tables, more than the 1"),
        ('(module (import "a" "b" (table 1 funcref)) (table 1 funcref))', "max_tables", "more tables than the 1"),
        ('(module (data "a") (data "b"))', "max_data_segments", "declares 2 data segments, more than the 1"),
        ("(module (elem funcref) (elem funcref))", "max_element_segments", "declares 2 element segments"),
        ("(module (func (local i32 i64)))", "max_local_groups", "declares locals more than 1 times"),
        ('(module (@custom "a" "") (@custom "b" ""))', "max_custom_sections", "more custom sections than 1"),
        (
            '(module (func (export "ab")))',
            "max_name_bytes",
            "a name in the export section is 2 bytes long, more than 1",
        ),
        ("(module (func))", "max_section_bytes", "the type section is 4 bytes long, more than 1"),
        ("(module)", "max_bytes", "the module is 8 bytes long, more than 1"),
    ],
)
def test_one_more_than_a_limit_is_refused(text: str, limit: str, problem: str) -> None:
    data = wat(text)
    assert read_module(data)
    assert problem in refusal(data, replace(DEFAULT_LIMITS, **{limit: 1}))


def test_types_in_groups_count_toward_the_limit() -> None:
    data = HEADER + section(1, several([b"\x4e" + several([b"\x60\0\0"] * 2)] * 2))
    assert read_module(data, ModuleLimits(allow_gc=True, max_types=4))
    assert "more than the 3 types" in refusal(data, ModuleLimits(allow_gc=True, max_types=3))


def test_the_size_is_judged_after_the_kind_so_that_a_large_archive_is_still_named() -> None:
    assert "a zip archive" in refusal(b"PK\x03\x04" + b"\0" * 100, ModuleLimits(max_bytes=10))


def test_the_longest_part_of_a_hostile_name_that_a_message_shows_is_short() -> None:
    data = HEADER + TYPE + section(2, several([name("x" * 90_000 + "\0") + name("f") + b"\0\0"]))
    assert len(refusal(data)) < 200

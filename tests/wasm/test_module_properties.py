"""What holds for every input of the section reader, and its agreement with a real engine on valid modules."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import cache

import pytest
import wasmtime
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mcp_server.errors import ModuleError
from mcp_server.wasm import (
    ExternType,
    FuncType,
    GlobalType,
    MemoryType,
    Module,
    ModuleLimits,
    TableType,
    read_module,
)

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# One module for each thing compilers emit, most of them with one proposal in it.
VALID: dict[str, str] = {
    "empty": "(module)",
    "echo": """(module
        (import "extism:host/env" "input_offset" (func $off (result i64)))
        (import "extism:host/env" "input_length" (func $len (result i64)))
        (import "extism:host/env" "output_set" (func $out (param i64 i64)))
        (func (export "echo") (result i32) (call $out (call $off) (call $len)) (i32.const 0)))""",
    "names": '(module $plugin (func $first (param $a i32)) (func $"zweite ü") (memory $m 1) (type $t (func)))',
    "start": "(module (func $run) (start $run))",
    "imported start": '(module (import "a" "b" (func $f)) (start $f))',
    "memory": '(module (memory (export "memory") 1 16) (data (i32.const 8) "hello\\00world"))',
    "empty memory": "(module (memory 0 0))",
    "imported memory": '(module (import "env" "memory" (memory 2)) (data (i32.const 0) "x"))',
    "large maximum": "(module (memory 17 65536))",
    "passive data": """(module (memory 1) (data $d "abc")
        (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop $d)))""",
    "empty data": '(module (data ""))',
    "bulk memory": "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))))",
    "table": '(module (table (export "t") 2 8 funcref) (func $f) (elem (i32.const 0) $f $f))',
    "imported table": '(module (import "env" "t" (table 4 externref)))',
    "call indirect": """(module (type $t (func (param i32) (result i32))) (table 1 funcref)
        (func (param i32) (result i32) (call_indirect (type $t) (local.get 0) (i32.const 0))))""",
    "passive elements": "(module (func $f) (elem funcref (ref.func $f) (ref.null func)) (elem declare func $f))",
    "externref": """(module (import "a" "g" (global externref)) (table 2 externref)
        (func (export "get") (param i32) (result externref) (table.get 0 (local.get 0))))""",
    "many tables": "(module (table 1 funcref) (table 2 externref) (table 0 0 funcref))",
    "globals": """(module (import "a" "i" (global $i i32)) (global (export "m") (mut i64) (i64.const -9000000000))
        (global (export "f") f32 (f32.const 1.5)) (global f64 (f64.const 2.5)) (global i32 (global.get $i))
        (global (export "r") funcref (ref.null func)) (global externref (ref.null extern)) (func $f)
        (global funcref (ref.func $f)))""",
    "imported mutable global": '(module (import "a" "g" (global (mut f64))))',
    "extended const": """(module (import "a" "base" (global $base i32)) (memory 1)
        (global i32 (i32.add (global.get $base) (i32.mul (i32.const 4) (i32.const 5))))
        (global i64 (i64.sub (i64.const 1) (i64.const 2))) (data (i32.add (i32.const 1) (i32.const 2)) "x"))""",
    "simd": """(module (memory 1) (global v128 (v128.const i32x4 1 2 3 4))
        (func $add (param v128 v128) (result v128) (local v128) (i32x4.add (local.get 0) (local.get 1)))
        (func (export "lane") (result i32) (i32x4.extract_lane 0 (v128.const i32x4 1 2 3 4))))""",
    "relaxed simd": """(module (func (param v128 v128) (result v128)
        (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))""",
    "multi-value": '(module (func (export "two") (param i32 f32 f64) (result i32 i64) (i32.const 1) (i64.const 2)))',
    "block types": "(module (func (result i32) (block (result i32 i32) (i32.const 1) (i32.const 2)) i32.add))",
    "tail call": "(module (func $f (param i32) (result i32) (return_call $f (local.get 0))))",
    "exceptions": """(module (type $t (func (param i32))) (import "env" "c" (tag (type $t)))
        (tag $e (export "e") (type $t))
        (func (export "f") (result i32) (block $h (result i32)
          (try_table (catch $e $h) (throw $e (i32.const 7))) (i32.const 0))))""",
    "exnref": "(module (func (param exnref)) (table 1 exnref) (func (local exnref)))",
    "sign extension": "(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))",
    "saturating conversion": "(module (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0))))",
    "atomics on plain memory": "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
    "typed function references": """(module (type $t (func (param i32) (result i32))) (func $g (type $t) (local.get 0))
        (elem declare func $g) (global (ref $t) (ref.func $g))
        (func (param (ref null $t)) (local (ref null $t)) (drop (call_ref $t (i32.const 1) (ref.func $g)))))""",
    "table with initializer": """(module (type $t (func)) (func $f (type $t))
        (table 3 (ref $t) (ref.func $f)) (table 1 2 funcref (ref.null func)))""",
    "non-null abstract reference": "(module (func (param (ref func) (ref extern))))",
    "many locals": "(module (func (local i32 i32 i64 f32 f64 v128 funcref externref i32)))",
    "custom sections": '(module (@custom ".debug_info" "\\00\\01") (func) (@custom "producers" (after last) "\\00"))',
    "long signature": f"(module (type (func (param {'i32 ' * 1000}))))",
    "many functions": f"(module {'(func (result i64) (i64.const 1))' * 300})",
    "unicode names": '(module (import "módulo" "函数" (func)) (func (export "🦀")))',
    "empty names": '(module (import "" "" (func)) (func (export "")))',
}

GC_MODULES = {
    "struct": "(module (type (struct (field i32) (field (mut i8)) (field (ref null eq)))))",
    "array": "(module (type $a (array (mut i16))) (func (drop (array.new_default $a (i32.const 4)))))",
    "recursive group": "(module (rec (type $a (struct (field (ref null $b)))) (type $b (func (param (ref $a))))))",
    "subtype": "(module (type $a (sub (struct))) (type (sub final $a (struct (field i64)))) (type (array anyref)))",
    "constant": """(module (type $s (struct (field i32))) (type $a (array i32))
        (global (ref $s) (struct.new $s (i32.const 1))) (global i31ref (ref.i31 (i32.const 1)))
        (global (ref $a) (array.new_fixed $a 2 (i32.const 1) (i32.const 2))))""",
}

# No example database: a run leaves no files behind.
SLOWER = settings(deadline=None, max_examples=400, database=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def assemble(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


@cache
def engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.wasm_gc = True
    config.wasm_function_references = True
    config.wasm_exceptions = True
    return wasmtime.Engine(config)


def seeds() -> st.SearchStrategy[bytes]:
    return st.sampled_from(sorted(VALID.values())).map(assemble)


def word(value: wasmtime.ValType) -> str:
    """The engine's C API knows no vectors (it aborts on one) and calls an externref by its first name."""
    return str(value).replace("anyref", "externref")


def described(kind: object) -> object:
    """The engine's description of an import or export, in the words of ours."""
    if isinstance(kind, wasmtime.FuncType):
        return FuncType(tuple(map(word, kind.params)), tuple(map(word, kind.results)))
    if isinstance(kind, wasmtime.MemoryType):
        return MemoryType(kind.limits.min, kind.limits.max)
    if isinstance(kind, wasmtime.TableType):
        return TableType(word(kind.element), kind.limits.min, kind.limits.max)
    if isinstance(kind, wasmtime.GlobalType):
        return GlobalType(word(kind.content), kind.mutable)
    return "tag"


def shown(kind: str, declared: ExternType) -> object:
    return "tag" if kind == "tag" else declared


def names_of(module: Module) -> list[str]:
    imported = [name for item in module.imports for name in (item.module, item.name)]
    return [*imported, *(item.name for item in module.exports), *(section.name for section in module.sections)]


def read_or_refuse(data: bytes, limits: ModuleLimits | None = None) -> Module | ModuleError:
    try:
        return read_module(data, limits or ModuleLimits())
    except ModuleError as error:
        return error


@pytest.mark.parametrize("name", VALID)
def test_a_module_the_engine_accepts_is_read_as_the_engine_reflects_it(name: str) -> None:
    data = assemble(VALID[name])
    reflected = wasmtime.Module(engine(), data)
    module = read_module(data)
    assert [(item.module, item.name, shown(item.kind, item.type)) for item in module.imports] == [
        (item.module, item.name, described(item.type)) for item in reflected.imports
    ]
    assert [(item.name, shown(item.kind, item.type)) for item in module.exports] == [
        (item.name, described(item.type)) for item in reflected.exports
    ]


@pytest.mark.parametrize("name", GC_MODULES)
def test_a_gc_module_is_read_only_where_gc_is_allowed(name: str) -> None:
    data = assemble(GC_MODULES[name])
    assert wasmtime.Module.validate(engine(), data) is None
    assert read_module(data, ModuleLimits(allow_gc=True)).size == len(data)
    with pytest.raises(ModuleError, match="GC"):
        read_module(data)


@settings(SLOWER, max_examples=500)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    assume(data[:8] != b"\0asm\1\0\0\0")
    assert isinstance(read_or_refuse(data), ModuleError)


@SLOWER
@given(st.binary(max_size=120))
def test_random_bytes_behind_a_header_give_a_module_or_a_module_error(tail: bytes) -> None:
    assert isinstance(read_or_refuse(b"\0asm\1\0\0\0" + tail), Module | ModuleError)


@st.composite
def mutated_modules(draw: st.DrawFn) -> bytes:
    """A real module after a few changes: bytes flipped, cut out, put in, or the end cut off."""
    data = bytearray(draw(seeds()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["flip", "flip", "remove", "insert", "truncate"])):
            case "flip":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "remove":
                del data[at : at + draw(st.integers(1, 8))]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=6))
            case _:
                del data[at:]
    return bytes(data)


@settings(SLOWER, max_examples=1500)
@given(mutated_modules(), st.booleans())
def test_a_damaged_module_gives_a_module_without_control_characters_or_a_module_error(data: bytes, gc: bool) -> None:
    result = read_or_refuse(data, ModuleLimits(allow_gc=gc))
    if isinstance(result, Module):
        assert [name for name in names_of(result) if CONTROL.search(name)] == []
    else:
        assert not CONTROL.search(result.message)


@settings(SLOWER, max_examples=600)
@given(mutated_modules())
def test_a_damaged_module_that_the_engine_still_accepts_is_read_or_refused_for_a_reason_of_policy(data: bytes) -> None:
    try:
        wasmtime.Module.validate(engine(), data)
    except wasmtime.WasmtimeError:
        return
    result = read_or_refuse(data)
    if isinstance(result, ModuleError) and "name" not in result.message:
        assert not result.message.startswith("malformed"), result.message


@SLOWER
@given(seeds(), st.sampled_from([item.name for item in fields(ModuleLimits) if item.name != "allow_gc"]))
def test_a_limit_of_zero_still_gives_a_module_or_a_module_error(data: bytes, limit: str) -> None:
    assert isinstance(read_or_refuse(data, replace(ModuleLimits(), **{limit: 0})), Module | ModuleError)


@pytest.mark.parametrize("name", VALID)
def test_every_proper_prefix_of_a_module_is_a_module_or_a_module_error(name: str) -> None:
    data = assemble(VALID[name])
    results = [read_or_refuse(data[:end]) for end in range(len(data))]
    assert all(isinstance(result, Module | ModuleError) for result in results)
    assert isinstance(results[min(7, len(results) - 1)], ModuleError)

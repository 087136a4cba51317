"""The modules that are measured, as WebAssembly text."""

from __future__ import annotations

import functools

import wasmtime

__all__ = ["DATA", "ECHO", "SCAN", "SPIN", "WAIT", "padded", "wat"]

DATA = b"0123456789abcdef"
"""What small calls carry: 16 bytes."""

_KERNEL = """
  (import "extism:host/env" "input_offset" (func $in (result i64)))
  (import "extism:host/env" "input_length" (func $len (result i64)))
  (import "extism:host/env" "input_load_u64" (func $load (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
"""
_ECHO = '(func (export "echo") (result i32) (call $out (call $in) (call $len)) (i32.const 0))'


@functools.cache
def wat(text: str) -> bytes:
    """Compile a whole module."""
    return bytes(wasmtime.wat2wasm(text))


def _module(body: str, imports: str = "", pages: int = 1) -> bytes:
    return wat(f'(module {_KERNEL} {imports} (memory (export "memory") {pages}) {body})')


ECHO = _module(_ECHO)
"""``echo``: the input as it is, without a copy."""

SPIN = _module(f'{_ECHO} (func (export "spin") (result i32) (loop $l (br $l)) (i32.const 0))')
"""``spin``: never returns by itself."""

WAIT = _module(
    '(func (export "wait") (result i32) (local $a i64)'
    "  (local.set $a (call $host (call $in)))"
    "  (call $out (local.get $a) (i64.const 0)) (i32.const 0))",
    '(import "agentmem" "log" (func $host (param i64) (result i64)))',
)
"""``wait``: hands its input to the host function ``log`` and returns its answer when that comes."""

SCAN = _module(
    """
  (func (export "scan") (result i32)
    (local $n i64) (local $i i64) (local $p i32) (local $end i32) (local $c i32)
    (local $words i64) (local $sum i64) (local $inside i32) (local $o i64)
    (local.set $n (call $len))
    (block $copied (loop $copy                          ;; what every plugin kit does: its input into own memory
      (br_if $copied (i64.ge_u (local.get $i) (local.get $n)))
      (i64.store (i32.wrap_i64 (local.get $i)) (call $load (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 8)))
      (br $copy)))
    (local.set $end (i32.wrap_i64 (local.get $n)))
    (block $done (loop $next                            ;; words (a non-blank after a blank) and a rolling sum
      (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
      (local.set $c (i32.load8_u (local.get $p)))
      (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.extend_i32_u (local.get $c))))
      (if (i32.gt_u (local.get $c) (i32.const 32))
        (then
          (local.set $words (i64.add (local.get $words) (i64.extend_i32_u (i32.eqz (local.get $inside)))))
          (local.set $inside (i32.const 1)))
        (else (local.set $inside (i32.const 0))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br $next)))
    (local.set $o (call $alloc (i64.const 16)))
    (call $store (local.get $o) (local.get $words))
    (call $store (i64.add (local.get $o) (i64.const 8)) (local.get $sum))
    (call $out (local.get $o) (i64.const 16)) (i32.const 0))""",
    pages=18,
)
"""``scan``: copies its input in, counts words and sums bytes; 16 bytes out."""


def padded(number: int) -> bytes:
    """An echo module like no other: its own digest, its own compiled code."""
    return _module(f'{_ECHO} (data (i32.const 0) "{number:08d}")')

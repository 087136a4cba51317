"""Guests that use as much of something as their input says: ``{"n": 12}``."""

from __future__ import annotations

from tests.guests import module, wat

__all__ = ["ASKING", "NUMBERED", "functions", "padded", "tables"]

IMPORTS = """
  (import "extism:host/env" "input_load_u8" (func $byte (param i64) (result i32)))
  (import "extism:host/user" "log" (func $log (param i64) (result i64)))
  (import "extism:host/user" "get_config" (func $ask (param i64) (result i64)))
"""
BODY = """
  (data (i32.const 0) "{\\"message\\":\\"")
  (func $n (result i64) (local $at i64) (local $digit i32) (local $n i64)
    (local.set $at (i64.const 5))
    (block $done
      (loop $next
        (local.set $digit (i32.sub (call $byte (local.get $at)) (i32.const 48)))
        (br_if $done (i32.gt_u (local.get $digit) (i32.const 9)))
        (local.set $n (i64.add (i64.mul (local.get $n) (i64.const 10)) (i64.extend_i32_u (local.get $digit))))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $next)))
    (local.get $n))
  (func $answer (param $block i64) (result i32)
    (call $out (local.get $block) (call $length (local.get $block)))
    (i32.const 0))
  ;; {"message":"aaa…"} with `size` times the letter a
  (func $line (param $size i64) (result i64) (local $block i64) (local $i i64)
    (local.set $block (call $alloc (i64.add (local.get $size) (i64.const 14))))
    (loop $head
      (call $store (i64.add (local.get $block) (local.get $i)) (i32.load8_u (i32.wrap_i64 (local.get $i))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $head (i64.lt_u (local.get $i) (i64.const 12))))
    (local.set $i (i64.const 0))
    (block $done
      (loop $letter
        (br_if $done (i64.ge_u (local.get $i) (local.get $size)))
        (call $store (i64.add (i64.add (local.get $block) (i64.const 12)) (local.get $i)) (i32.const 97))
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br $letter)))
    (call $store (i64.add (i64.add (local.get $block) (i64.const 12)) (local.get $size)) (i32.const 34))
    (call $store (i64.add (i64.add (local.get $block) (i64.const 13)) (local.get $size)) (i32.const 125))
    (local.get $block))
  (func (export "loop_n_times") (result i32) (local $left i64)
    (local.set $left (call $n))
    (block $done
      (loop $again
        (br_if $done (i64.eqz (local.get $left)))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br $again)))
    (i32.const 0))
  (func (export "grow_n_pages") (result i32)
    (i32.eq (memory.grow (i32.wrap_i64 (call $n))) (i32.const -1)))
  (func (export "output_n_bytes") (result i32) (local $block i64) (local $size i64) (local $i i64)
    (local.set $size (call $n))
    (local.set $block (call $alloc (local.get $size)))
    (loop $letter
      (call $store (i64.add (local.get $block) (local.get $i)) (i32.const 97))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $letter (i64.lt_u (local.get $i) (local.get $size))))
    (call $out (local.get $block) (local.get $size))
    (i32.const 0))
  (func (export "nest_n_arrays") (result i32) (local $block i64) (local $depth i64) (local $i i64)
    (local.set $depth (call $n))
    (local.set $block (call $alloc (i64.mul (local.get $depth) (i64.const 2))))
    (loop $bracket
      (call $store (i64.add (local.get $block) (local.get $i)) (i32.const 91))
      (call $store
        (i64.add (i64.add (local.get $block) (local.get $depth)) (local.get $i)) (i32.const 93))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $bracket (i64.lt_u (local.get $i) (local.get $depth))))
    (call $out (local.get $block) (i64.mul (local.get $depth) (i64.const 2)))
    (i32.const 0))
  (func (export "ask_n_times") (result i32) (local $left i64) (local $answer i64)
    (local.set $left (call $n))
    (loop $again
      (local.set $answer (call $ask (call $alloc (i64.const 0))))
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $again (i64.ne (local.get $left) (i64.const 0))))
    (call $answer (local.get $answer)))
  (func (export "log_n_lines") (result i32) (local $left i64) (local $answer i64)
    (local.set $left (call $n))
    (loop $again
      (local.set $answer (call $log (call $line (i64.const 1))))
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $again (i64.ne (local.get $left) (i64.const 0))))
    (call $answer (local.get $answer)))
  (func (export "log_n_bytes") (result i32)
    (call $answer (call $log (call $line (call $n)))))
  (func (export "echo") (result i32) (call $out (call $in) (call $len)) (i32.const 0))
  (func (export "wait") (result i32)
    (loop $again (drop (memory.grow (i32.const 0))) (br $again)) (i32.const 0))
"""
NUMBERED = module(BODY, IMPORTS)
ASKING = module(
    """
  (data (i32.const 0) "{\\"prompt\\":\\"Tea?\\"}")
  (func (export "ask_n_times") (result i32) (local $left i32) (local $block i64) (local $answer i64) (local $i i64)
    (local.set $left (i32.sub (call $byte (i64.const 5)) (i32.const 48)))  ;; {"n":2}
    (local.set $block (call $alloc (i64.const 17)))
    (loop $copy
      (call $store (i64.add (local.get $block) (local.get $i)) (i32.load8_u (i32.wrap_i64 (local.get $i))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $copy (i64.lt_u (local.get $i) (i64.const 17))))
    (loop $again
      (local.set $answer (call $ask (local.get $block)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (call $out (local.get $answer) (call $length (local.get $answer))) (i32.const 0))""",
    """
  (import "extism:host/env" "input_load_u8" (func $byte (param i64) (result i32)))
  (import "agentmem" "call_llm" (func $ask (param i64) (result i64)))""",
)


def functions(count: int) -> bytes:
    """A module of ``count`` functions, one of them ``run``."""
    return wat(f'(module {"(func)" * (count - 1)} (func (export "run") (result i32) (i32.const 0)))')


def tables(*sizes: int) -> bytes:
    """A module with tables of these initial sizes."""
    many = "".join(f"(table {size} funcref)" for size in sizes)
    return wat(f'(module {many} (func (export "run") (result i32) (i32.const 0)))')


def padded(size: int) -> bytes:
    """A module of exactly ``size`` bytes, most of them in a custom section."""
    small = functions(1)
    rest = size - len(small)
    for length_bytes in (1, 2, 3, 4):
        body = rest - 1 - length_bytes
        encoded = _leb128(body)
        if len(encoded) == length_bytes:
            return small + b"\0" + encoded + b"\1x" + bytes(body - 2)
    raise ValueError(f"{size} bytes cannot be made")


def _leb128(number: int) -> bytes:
    encoded = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        encoded.append(low | (0x80 if number else 0))
        if not number:
            return bytes(encoded)

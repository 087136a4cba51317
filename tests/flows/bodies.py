"""Functions of misbehaving and of unusual guests, in WebAssembly text; each goes into :func:`tests.guests.module`."""

from __future__ import annotations

from tests.guests import ECHO, answers, module

__all__ = [
    "EAT_MEMORY",
    "EAT_STACK",
    "FAILS_SILENTLY",
    "LOOP",
    "OUT_OF_BOUNDS",
    "SLOW_LOOP",
    "TRAP",
    "also_echo",
    "answers_with",
    "asks",
    "guest_error",
    "log_often",
    "logs_then_loops",
    "long_output",
    "repeats_its_request",
    "starts_with",
]

LOOP = '(func (export "run") (result i32) (loop $again (br $again)) (i32.const 0))'
# A growth by nothing is a call into the engine: many nanoseconds for one unit of fuel, so that a clock ends the loop
# and not the instruction limit.
SLOW_LOOP = """
  (func (export "run") (result i32)
    (loop $again (drop (memory.grow (i32.const 0))) (br $again)) (i32.const 0))
"""
TRAP = '(func (export "run") (result i32) unreachable)'
EAT_MEMORY = """
  (func (export "run") (result i32)
    (loop $again (drop (memory.grow (i32.const 1))) (br $again)) (i32.const 0))
"""
EAT_STACK = '(func $down (export "run") (result i32) (i32.add (call $down) (i32.const 1)))'
OUT_OF_BOUNDS = '(func (export "run") (result i32) (i32.load (i32.const 0x7ffffff0)))'
FAILS_SILENTLY = '(func (export "run") (result i32) (i32.const 7))'


def also_echo(body: str, imports: str = "") -> bytes:
    """A module with ``body`` and a function ``echo`` that is well."""
    return module(body + ECHO, imports)


def answers_with(text: str | bytes) -> bytes:
    """A module whose ``run`` outputs ``text`` and whose ``echo`` is well."""
    return answers(text, extra=ECHO)


def guest_error(text: str | bytes, code: int = 1) -> bytes:
    """A module whose ``run`` reports ``text`` as its own error and returns ``code``."""
    data = text.encode() if isinstance(text, str) else text
    escaped = "".join(f"\\{byte:02x}" for byte in data)
    return also_echo(
        f"""
  (data (i32.const 0) "{escaped}")
  (func (export "run") (result i32) (local $o i64) (local $i i64)
    (local.set $o (call $alloc (i64.const {len(data)})))
    (loop $next
      (call $store (i64.add (local.get $o) (local.get $i)) (i32.load8_u (i32.wrap_i64 (local.get $i))))
      (br_if $next (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const {len(data)}))))
    (call $err (local.get $o)) (i32.const {code}))
"""
    )


def long_output(size: int) -> bytes:
    """A module whose ``run`` outputs a JSON string of ``size`` bytes, quotes included."""
    return also_echo(
        f"""
  (func (export "run") (result i32) (local $o i64) (local $i i64)
    (local.set $o (call $alloc (i64.const {size})))
    (loop $next
      (call $store (i64.add (local.get $o) (local.get $i)) (i32.const 97))
      (br_if $next (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const {size}))))
    (call $store (local.get $o) (i32.const 34))
    (call $store (i64.add (local.get $o) (i64.const {size - 1})) (i32.const 34))
    (call $out (local.get $o) (i64.const {size})) (i32.const 0))
"""
    )


def starts_with(loop: str) -> bytes:
    """A module whose start section runs ``loop``."""
    return module(f"(func $begin {loop}) (start $begin) {ECHO}")


def _host_import(*names: str, home: str = "agentmem") -> str:
    """Imports of host functions as ``$name``."""
    return "\n".join(f'(import "{home}" "{name}" (func ${name} (param i64) (result i64)))' for name in names)


# Hands the whole input to the host function $ask and answers with what the host said.
_CALL_HOST = """
  (func (export "run") (result i32) (local $r i64) (local $n i64) (local $i i64)
    (local.set $n (call $len))
    (local.set $r (call $alloc (local.get $n)))
    (block $copied (loop $next
      (br_if $copied (i64.ge_u (local.get $i) (local.get $n)))
      (call $store (i64.add (local.get $r) (local.get $i)) (call $byte (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next)))
    (local.set $r (call ${ask} (local.get $r)))
    (call $out (local.get $r) (call $length (local.get $r)))
    (i32.const 0))
"""
_INPUT_BYTE = '(import "extism:host/env" "input_load_u8" (func $byte (param i64) (result i32)))'


def asks(function: str, home: str = "agentmem") -> bytes:
    """A module whose ``run`` passes its input to host ``function`` and answers with the envelope it got."""
    body = _CALL_HOST.replace("${ask}", f"${function}")
    return also_echo(body, _INPUT_BYTE + _host_import(function, home=home))


def logs_then_loops() -> bytes:
    """A module whose ``run`` logs one line, which tells that it runs, and then loops."""
    line = '{"message":"running"}'
    escaped = "".join(f"\\{byte:02x}" for byte in line.encode())
    return also_echo(
        f"""
  (data (i32.const 0) "{escaped}")
  (func (export "run") (result i32) (local $q i64) (local $i i64)
    (local.set $q (call $alloc (i64.const {len(line)})))
    (loop $next
      (call $store (i64.add (local.get $q) (local.get $i)) (i32.load8_u (i32.wrap_i64 (local.get $i))))
      (br_if $next (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const {len(line)}))))
    (drop (call $log (local.get $q)))
    (loop $again (drop (memory.grow (i32.const 0))) (br $again))
    (i32.const 0))
""",
        _host_import("log"),
    )


def repeats_its_request() -> bytes:
    """A dispatcher whose ``process`` answers with success and its whole request as the data."""
    before = b'{"success":true,"data":'
    escaped = "".join(f"\\{byte:02x}" for byte in before)
    return module(
        f"""
  (data (i32.const 0) "{escaped}")
  (func (export "process") (result i32) (local $o i64) (local $i i64) (local $n i64)
    (local.set $n (i64.add (call $len) (i64.const {len(before) + 1})))
    (local.set $o (call $alloc (local.get $n)))
    (loop $next
      (call $store (i64.add (local.get $o) (local.get $i))
        (if (result i32) (i64.lt_u (local.get $i) (i64.const {len(before)}))
          (then (i32.load8_u (i32.wrap_i64 (local.get $i))))
          (else (call $byte (i64.sub (local.get $i) (i64.const {len(before)}))))))
      (br_if $next
        (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.sub (local.get $n) (i64.const 1)))))
    (call $store (i64.add (local.get $o) (local.get $i)) (i32.const 125))
    (call $out (local.get $o) (local.get $n)) (i32.const 0))
""",
        _INPUT_BYTE,
    )


def log_often(times: int, line: str = '{"message":"again"}') -> bytes:
    """A module whose ``run`` logs ``line`` so often and answers with the last envelope."""
    escaped = "".join(f"\\{byte:02x}" for byte in line.encode())
    return also_echo(
        f"""
  (data (i32.const 0) "{escaped}")
  (func (export "run") (result i32) (local $q i64) (local $r i64) (local $i i64)
    (local.set $q (call $alloc (i64.const {len(line.encode())})))
    (loop $next
      (call $store (i64.add (local.get $q) (local.get $i)) (i32.load8_u (i32.wrap_i64 (local.get $i))))
      (br_if $next (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const {len(line.encode())}))))
    (local.set $i (i64.const 0))
    (loop $again
      (local.set $r (call $log (local.get $q)))
      (br_if $again (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const {times}))))
    (call $out (local.get $r) (call $length (local.get $r)))
    (i32.const 0))
""",
        _host_import("log"),
    )

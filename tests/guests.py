"""Guests for tests: small modules written as WebAssembly text and compiled by wasmtime, and plugin folders of them."""

from __future__ import annotations

import functools
from pathlib import Path

import wasmtime

KERNEL = """
  (import "extism:host/env" "input_offset" (func $in (result i64)))
  (import "extism:host/env" "input_length" (func $len (result i64)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (import "extism:host/env" "error_set" (func $err (param i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
"""

ECHO = """
  (func (export "echo") (result i32) (call $out (call $in) (call $len)) (i32.const 0))
"""


@functools.cache
def wat(text: str) -> bytes:
    """Compile a whole module."""
    return bytes(wasmtime.wat2wasm(text))


def module(body: str, imports: str = "") -> bytes:
    """A module with the Extism kernel imported, one page of memory, and ``body``."""
    return wat(f'(module {KERNEL} {imports} (memory (export "memory") 1) {body})')


def answers(text: str | bytes, name: str = "run", extra: str = "") -> bytes:
    """A module whose function ``name`` outputs ``text``, whatever it is given."""
    data = text.encode() if isinstance(text, str) else text
    escaped = "".join(f"\\{byte:02x}" for byte in data)
    return module(
        f"""
  (data (i32.const 0) "{escaped}")
  (func (export "{name}") (result i32) (local $o i64) (local $i i64)
    (local.set $o (call $alloc (i64.const {len(data)})))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $i) (i64.const {len(data)})))
      (call $store (i64.add (local.get $o) (local.get $i)) (i32.load8_u (i32.wrap_i64 (local.get $i))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next)))
    (call $out (local.get $o) (i64.const {len(data)})) (i32.const 0))
  {extra}"""
    )


def write_plugin(folder: Path, plugin: str, wasm: bytes, more: str = "", header: str = "") -> Path:
    """A bundle ``folder/<plugin>/`` of module and manifest; ``more`` is TOML after the ``[plugin]`` table."""
    home = folder / plugin
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{plugin}.wasm").write_bytes(wasm)
    (home / "plugin.toml").write_text(
        f'manifest_version = 1\n[plugin]\nid = "{plugin}"\nname = "{plugin}"\nversion = "0.1.0"\n{header}\n{more}\n',
        encoding="utf-8",
    )
    return home

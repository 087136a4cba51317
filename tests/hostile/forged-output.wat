;; The same forged block, given back as the output.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (func (export "run") (result i32) (local $block i64)
    (local.set $block (call $alloc (i64.const 16)))
    (call $store (i64.sub (local.get $block) (i64.const 1)) (i32.const 0x7f))
    (call $out (local.get $block) (i64.const 0x7f000000))
    (i32.const 0)))

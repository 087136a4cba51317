;; Writes 2 GiB into the length field of a kernel block, then has the kernel read that block as an error text.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "error_set" (func $error (param i64)))
  (func (export "run") (result i32) (local $block i64)
    (local.set $block (call $alloc (i64.const 16)))
    (call $store (i64.sub (local.get $block) (i64.const 1)) (i32.const 0x7f))
    (call $store (i64.sub (local.get $block) (i64.const 5)) (i32.const 0x7f))
    (call $error (local.get $block))
    (i32.const 1)))

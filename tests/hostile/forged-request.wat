;; A forged block of 8 MiB, far more than the kernel's memory holds, given to a host function as its request.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/user" "log" (func $log (param i64) (result i64)))
  (func (export "run") (result i32) (local $block i64)
    (local.set $block (call $alloc (i64.const 16)))
    (call $store (i64.sub (local.get $block) (i64.const 2)) (i32.const 0x80))
    (drop (call $log (local.get $block)))
    (i32.const 0)))

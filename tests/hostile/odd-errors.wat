;; Fails with texts that are no text: bytes that are not UTF-8, and a NUL in the middle.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "error_set" (func $error (param i64)))
  (memory 1)
  (data (i32.const 0) "bad \ff\fe end")
  (data (i32.const 16) "one\00two")
  (func $fail (param $from i32) (param $size i32) (result i32) (local $block i64) (local $i i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $size))))
    (loop $next
      (call $store
        (i64.add (local.get $block) (i64.extend_i32_u (local.get $i)))
        (i32.load8_u (i32.add (local.get $from) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $size))))
    (call $error (local.get $block))
    (i32.const 1))
  (func (export "run") (result i32) (call $fail (i32.const 0) (i32.const 10)))
  (func (export "nul") (result i32) (call $fail (i32.const 16) (i32.const 7))))

;; Puts a request of 17 MiB to a host function and answers with what it got.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (import "extism:host/user" "log" (func $log (param i64) (result i64)))
  (func (export "run") (result i32) (local $answer i64)
    (local.set $answer (call $log (call $alloc (i64.const 17825792))))
    (call $out (local.get $answer) (call $length (local.get $answer)))
    (i32.const 0)))

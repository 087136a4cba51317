;; Logs the line "again" five hundred times, whatever the host says, and answers with the host's last word.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (import "extism:host/user" "log" (func $log (param i64) (result i64)))
  (memory 1)
  (data (i32.const 0) "{\"message\":\"again\"}")
  (func (export "run") (result i32) (local $left i32) (local $request i64) (local $answer i64)
    (local.set $request (call $alloc (i64.const 19)))
    (loop $next
      (call $store
        (i64.add (local.get $request) (i64.extend_i32_u (local.get $left)))
        (i32.load8_u (local.get $left)))
      (local.set $left (i32.add (local.get $left) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $left) (i32.const 19))))
    (local.set $left (i32.const 500))
    (loop $again
      (local.set $answer (call $log (local.get $request)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (call $out (local.get $answer) (call $length (local.get $answer)))
    (i32.const 0)))

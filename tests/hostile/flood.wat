;; Asks the host a million times. `run` ignores every refusal; `until_refused` ends at the first and outputs it.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load (param i64) (result i32)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (import "extism:host/user" "get_config" (func $ask (param i64) (result i64)))
  (func (export "run") (result i32) (local $left i32) (local $request i64)
    (local.set $request (call $alloc (i64.const 0)))
    (local.set $left (i32.const 1000000))
    (loop $again
      (call $free (call $ask (local.get $request)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (i32.const 0))
  (func (export "until_refused") (result i32) (local $left i32) (local $request i64) (local $answer i64)
    (local.set $request (call $alloc (i64.const 0)))
    (local.set $left (i32.const 1000000))
    (loop $again
      (call $free (local.get $answer))
      (local.set $answer (call $ask (local.get $request)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      ;; {"success":true…: the twelfth byte is a t until the host refuses
      (br_if $again (i32.and
        (i32.eq (call $load (i64.add (local.get $answer) (i64.const 11))) (i32.const 0x74))
        (i32.ne (local.get $left) (i32.const 0)))))
    (call $out (local.get $answer) (call $length (local.get $answer)))
    (i32.const 0)))

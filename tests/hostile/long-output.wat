;; Outputs as many zero bytes as its input says: {"n":1048576}.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "input_load_u8" (func $in (param i64) (result i32)))
  (import "extism:host/env" "output_set" (func $out (param i64 i64)))
  (func (export "run") (result i32) (local $at i64) (local $digit i32) (local $size i64)
    (local.set $at (i64.const 5))
    (block $done
      (loop $next
        (local.set $digit (i32.sub (call $in (local.get $at)) (i32.const 48)))
        (br_if $done (i32.gt_u (local.get $digit) (i32.const 9)))
        (local.set $size (i64.add
          (i64.mul (local.get $size) (i64.const 10))
          (i64.extend_i32_u (local.get $digit))))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $next)))
    (call $out (call $alloc (local.get $size)) (local.get $size))
    (i32.const 0)))

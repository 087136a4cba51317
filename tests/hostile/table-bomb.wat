;; Grows a table by ten million elements forty times: no memory limit of the engine counts tables.
(module
  (table $t 1 funcref)
  (func (export "run") (result i32) (local $left i32)
    (local.set $left (i32.const 40))
    (loop $again
      (if (i32.eq (table.grow $t (ref.null func) (i32.const 10000000)) (i32.const -1)) (then unreachable))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (i32.const 0)))

;; Takes twenty pages of memory in each call and never gives them back.
(module
  (memory 1)
  (func (export "run") (result i32)
    (i32.eq (memory.grow (i32.const 20)) (i32.const -1))))

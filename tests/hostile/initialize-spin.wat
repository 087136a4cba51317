;; Loops for ever in the lifecycle function that runs before the call.
(module
  (memory 1)
  (func (export "initialize") (result i32)
    (loop $again (drop (memory.grow (i32.const 0))) (br $again)) (i32.const 0))
  (func (export "run") (result i32) (i32.const 0)))

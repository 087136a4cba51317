;; Loops for ever on an instruction that costs one unit of fuel and much time: only the clock ends it.
(module
  (memory 1)
  (func (export "run") (result i32)
    (loop $again (drop (memory.grow (i32.const 0))) (br $again))
    (i32.const 0)))

;; Loops for ever in the start section, while the instance is being made.
(module
  (memory 1)
  (func $begin (loop $again (drop (memory.grow (i32.const 0))) (br $again)))
  (start $begin)
  (func (export "run") (result i32) (i32.const 0)))

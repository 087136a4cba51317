;; Asks for 4 GiB in one instruction, and traps when it gets -1.
(module
  (memory 1)
  (func (export "run") (result i32)
    (if (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable))
    (i32.const 0)))

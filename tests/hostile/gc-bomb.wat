;; Asks for an array of 500 million references on the engine's collected heap.
(module
  (type $cell (array (mut i64)))
  (func (export "run") (result i32)
    (drop (array.new_default $cell (i32.const 500000000)))
    (i32.const 0)))

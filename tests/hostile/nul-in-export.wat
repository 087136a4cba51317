;; A valid module that exports a function with a NUL in its name.
(module
  (func (export "run\00ner") (result i32) (i32.const 0)))

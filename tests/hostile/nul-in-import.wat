;; A valid module whose import has a NUL in its name: the engine's error text would hold it and abort the process.
(module
  (import "extism:host/user" "a\00b" (func (param i64) (result i64)))
  (func (export "run") (result i32) (i32.const 0)))

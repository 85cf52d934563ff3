;; Declares imports with other types than WASI's, which JavaScript links without a word.
(module
  (import "wasi_snapshot_preview1" "fd_close" (func $wide (param i64) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $more (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "wide") (result i32) (call $wide (i64.const 1)))
  (func (export "more") (result i32) (call $more (i32.const 1))))

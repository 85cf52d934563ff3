;; Sleeps for a given number of nanoseconds and returns poll_oneoff's errno, then how many events there were.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sleep") (param $ns i64) (result i32 i32)
    (i32.store (i32.const 16) (i32.const 1))           ;; the monotonic clock
    (i64.store (i32.const 24) (local.get $ns))
    (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))
    (i32.load (i32.const 128))))

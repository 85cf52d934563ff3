;; Ends itself with code 7 from deep within; what stands behind the call must never run.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $deep (param $depth i32)
    (if (i32.eqz (local.get $depth)) (then (call $proc_exit (i32.const 7)) unreachable))
    (call $deep (i32.sub (local.get $depth) (i32.const 1)))
    unreachable)
  (func (export "_start") (call $deep (i32.const 100))))

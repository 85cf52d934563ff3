;; Grows its tables until it may not; no run of entries is large enough to end the thread.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))

  (memory (export "memory") 1)

  ;; Ends the guest with the number of the check that failed.
  (func $check (param $got i32) (param $want i32) (param $number i32)
    (if (i32.ne (local.get $got) (local.get $want)) (then (call $exit (local.get $number)))))

  (table $one 1 100000000 funcref)
  (table $two 1 funcref)
  (table $three 1 externref)
  (func (export "_start")
    (loop $next (br_if $next (i32.ne (table.grow $one (ref.null func) (i32.const 1000)) (i32.const -1))))
    (loop $next (br_if $next (i32.ne (table.grow $two (ref.null func) (i32.const 1000)) (i32.const -1))))
    (loop $next (br_if $next (i32.ne (table.grow $three (ref.null extern) (i32.const 1000)) (i32.const -1))))
    (call $check (i32.gt_u (table.size $one) (i32.const 1000)) (i32.const 1) (i32.const 1))
    (call $check
      (i32.le_u (i32.add (i32.add (table.size $one) (table.size $two)) (table.size $three)) (i32.const 262144))
      (i32.const 1) (i32.const 2))))

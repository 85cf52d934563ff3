;; Opens responses and closes none until it is told 13; after one close, one more can be opened.
(module
  (import "wasi_experimental_http" "req"
    (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "http://allowed.example:99999/hello")
  (data (i32.const 64) "GET")

  ;; Ends the guest with the number of the check that failed.
  (func $check (param $got i32) (param $want i32) (param $number i32)
    (if (i32.ne (local.get $got) (local.get $want)) (then (call $exit (local.get $number)))))

  ;; A good request; its handle is at 204.
  (func $ask (result i32)
    (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)))
  (func $handle (result i32) (i32.load (i32.const 204)))

  (func (export "_start") (local $opened i32) (local $code i32)
    (loop $next
      (local.set $code (call $ask))
      (if (i32.eqz (local.get $code))
        (then
          (local.set $opened (i32.add (local.get $opened) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $opened) (i32.const 5000))))))
    (call $check (local.get $code) (i32.const 13) (i32.const 1))
    (call $check (i32.eqz (local.get $opened)) (i32.const 0) (i32.const 2))
    (call $check (call $close (call $handle)) (i32.const 0) (i32.const 3))
    (call $check (call $ask) (i32.const 0) (i32.const 4))
    (call $check (call $ask) (i32.const 13) (i32.const 5))))

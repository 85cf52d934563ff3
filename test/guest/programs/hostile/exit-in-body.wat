;; Ends itself with 7 in the middle of a body.
(module
  (import "wasi_experimental_http" "req"
    (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "body_read"
    (func $body_read (param i32 i32 i32 i32) (result i32)))
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

  (func (export "_start")
    (call $check (call $ask) (i32.const 0) (i32.const 1))
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 2) (i32.const 208)) (i32.const 0) (i32.const 2))
    (call $exit (i32.const 7))))

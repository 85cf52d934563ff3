;; Reads a mebibyte through a buffer of 100 bytes, byte for byte right.
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

  (data (i32.const 300) "http://allowed.example:99999/large")
  (func (export "_start") (local $total i32) (local $got i32)
    (call $check
      (call $req (i32.const 300) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204))
      (i32.const 0) (i32.const 1))
    (loop $next
      (call $check
        (call $body_read (call $handle) (i32.const 512) (i32.const 100) (i32.const 208))
        (i32.const 0) (i32.const 2))
      (local.set $got (i32.load (i32.const 208)))
      (local.set $total (i32.add (local.get $total) (local.get $got)))
      (if (local.get $got)
        (then
          (call $check (i32.load8_u (i32.add (i32.const 511) (local.get $got))) (i32.const 120) (i32.const 3))
          (br $next))))
    (call $check (local.get $total) (i32.const 1048576) (i32.const 4))))

;; Tries a thousand handles that other guests may have: 1 each time.
(module
  (import "wasi_experimental_http" "close" (func $close (param i32) (result i32)))
  (import "wasi_experimental_http" "header_get"
    (func $header_get (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "headers_get_all"
    (func $headers_get_all (param i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "body_read"
    (func $body_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))

  (memory (export "memory") 1)

  ;; Ends the guest with the number of the check that failed.
  (func $check (param $got i32) (param $want i32) (param $number i32)
    (if (i32.ne (local.get $got) (local.get $want)) (then (call $exit (local.get $number)))))

  (func (export "_start") (local $handle i32)
    (loop $next
      (call $check (call $close (local.get $handle)) (i32.const 1) (i32.const 1))
      (call $check (call $header_get (local.get $handle) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 2))
      (call $check (call $headers_get_all (local.get $handle) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 3))
      (call $check (call $body_read (local.get $handle) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 4))
      (local.set $handle (i32.add (local.get $handle) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $handle) (i32.const 1000))))))

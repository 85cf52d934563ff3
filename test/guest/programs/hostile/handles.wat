;; Unknown and closed handles in every function: 1 each time. The last response is left open.
(module
  (import "wasi_experimental_http" "req"
    (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "close" (func $close (param i32) (result i32)))
  (import "wasi_experimental_http" "header_get"
    (func $header_get (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "headers_get_all"
    (func $headers_get_all (param i32 i32 i32 i32) (result i32)))
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

  (func (export "_start") (local $first i32)
    (call $check (call $close (i32.const 0)) (i32.const 1) (i32.const 1))
    (call $check (call $header_get (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 2))
    (call $check (call $headers_get_all (i32.const 0) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 3))
    (call $check (call $body_read (i32.const 0) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 4))
    (call $check (call $close (i32.const 1)) (i32.const 1) (i32.const 5))
    (call $check (call $header_get (i32.const 1) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 6))
    (call $check (call $headers_get_all (i32.const 1) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 7))
    (call $check (call $body_read (i32.const 1) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 8))
    (call $check (call $close (i32.const 2)) (i32.const 1) (i32.const 9))
    (call $check (call $header_get (i32.const 2) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 10))
    (call $check (call $headers_get_all (i32.const 2) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 11))
    (call $check (call $body_read (i32.const 2) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 12))
    (call $check (call $close (i32.const -1)) (i32.const 1) (i32.const 13))
    (call $check (call $header_get (i32.const -1) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 14))
    (call $check (call $headers_get_all (i32.const -1) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 15))
    (call $check (call $body_read (i32.const -1) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 16))
    (call $check (call $close (i32.const 2147483647)) (i32.const 1) (i32.const 17))
    (call $check (call $header_get (i32.const 2147483647) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 18))
    (call $check (call $headers_get_all (i32.const 2147483647) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 19))
    (call $check (call $body_read (i32.const 2147483647) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 20))
    (call $check (call $close (i32.const 2147483648)) (i32.const 1) (i32.const 21))
    (call $check (call $header_get (i32.const 2147483648) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 22))
    (call $check (call $headers_get_all (i32.const 2147483648) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 23))
    (call $check (call $body_read (i32.const 2147483648) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 24))
    (call $check (call $ask) (i32.const 0) (i32.const 25))
    (local.set $first (call $handle))
    (call $check (i32.eqz (local.get $first)) (i32.const 0) (i32.const 26))
    (call $check (call $close (local.get $first)) (i32.const 0) (i32.const 27))
    (call $check (call $close (local.get $first)) (i32.const 1) (i32.const 28))
    (call $check (call $header_get (local.get $first) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 29))
    (call $check (call $headers_get_all (local.get $first) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 30))
    (call $check (call $body_read (local.get $first) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 31))
    ;; A handle is not given twice.
    (call $check (call $ask) (i32.const 0) (i32.const 32))
    (call $check (i32.eq (call $handle) (local.get $first)) (i32.const 0) (i32.const 33))
    (call $check (call $close (local.get $first)) (i32.const 1) (i32.const 34))
    (call $check (call $header_get (local.get $first) (i32.const 100) (i32.const 4) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 35))
    (call $check (call $headers_get_all (local.get $first) (i32.const 512) (i32.const 1024) (i32.const 208)) (i32.const 1) (i32.const 36))
    (call $check (call $body_read (local.get $first) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 1) (i32.const 37))
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 0) (i32.const 38))))

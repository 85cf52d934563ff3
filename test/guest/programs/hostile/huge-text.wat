;; URL, method, headers and names of a mebibyte, 101 headers, and a body as large as memory.
(module
  (import "wasi_experimental_http" "req"
    (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "header_get"
    (func $header_get (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_experimental_http" "headers_get_all"
    (func $headers_get_all (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))

  (memory (export "memory") 32)
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

  ;; 101 headers, "a:\n" each.
  (func $fill (local $at i32)
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1048576))
    (loop $next
      (i32.store (i32.add (i32.const 1179648) (local.get $at)) (i32.const 0x0a3a61))
      (local.set $at (i32.add (local.get $at) (i32.const 3)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 303)))))

  (func (export "_start") (local $code i32)
    (call $fill)
    (call $check (call $req (i32.const 65536) (i32.const 1048576) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 10) (i32.const 1))
    (call $check (call $req (i32.const 65536) (i32.const 8193) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 10) (i32.const 2))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 65536) (i32.const 1048576) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 8) (i32.const 3))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 65536) (i32.const 33) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 8) (i32.const 4))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 65536) (i32.const 1048576) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 5))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 1179648) (i32.const 303) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 6))
    ;; A body as large as all of memory is taken or refused as too large.
    (local.set $code (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2097152) (i32.const 200) (i32.const 204)))
    (call $check (i32.or (i32.eqz (local.get $code)) (i32.eq (local.get $code) (i32.const 13))) (i32.const 1) (i32.const 7))
    (call $check (call $ask) (i32.const 0) (i32.const 8))
    (call $check (call $header_get (call $handle) (i32.const 65536) (i32.const 1048576) (i32.const 0) (i32.const 64) (i32.const 208)) (i32.const 5) (i32.const 9))
    (call $check (call $headers_get_all (call $handle) (i32.const 65536) (i32.const 1048576) (i32.const 208)) (i32.const 0) (i32.const 10))))

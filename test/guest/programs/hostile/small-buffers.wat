;; Buffers that are too small by one, empty ones, and bytes behind a buffer that must stay as they are.
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

  (data (i32.const 300) "content-type")
  (data (i32.const 320) "CoNtEnT-TyPe")
  (data (i32.const 340) "X-Twice")
  (data (i32.const 350) "absent")

  (func (export "_start")
    (call $check (call $ask) (i32.const 0) (i32.const 1))
    (call $check (i32.load16_u (i32.const 200)) (i32.const 200) (i32.const 2))
    (memory.fill (i32.const 512) (i32.const 0x7e) (i32.const 64))
    (i32.store (i32.const 208) (i32.const 77))
    ;; The value has ten bytes.
    (call $check (call $header_get (call $handle) (i32.const 300) (i32.const 12) (i32.const 512) (i32.const 9) (i32.const 208)) (i32.const 4) (i32.const 3))
    (call $check (call $header_get (call $handle) (i32.const 300) (i32.const 12) (i32.const 512) (i32.const 0) (i32.const 208)) (i32.const 4) (i32.const 4))
    (call $check (call $headers_get_all (call $handle) (i32.const 512) (i32.const 10) (i32.const 208)) (i32.const 4) (i32.const 5))
    ;; Nothing was written.
    (call $check (i32.load (i32.const 512)) (i32.const 2122219134) (i32.const 6))
    (call $check (i32.load (i32.const 208)) (i32.const 77) (i32.const 7))
    (call $check (call $header_get (call $handle) (i32.const 300) (i32.const 12) (i32.const 512) (i32.const 10) (i32.const 208)) (i32.const 0) (i32.const 8))
    (call $check (i32.load (i32.const 208)) (i32.const 10) (i32.const 9))
    (call $check (i32.load8_u (i32.const 521)) (i32.const 110) (i32.const 10))
    (call $check (i32.load8_u (i32.const 522)) (i32.const 126) (i32.const 11))
    ;; Whatever the case of the name; of a repeated header, the first.
    (call $check (call $header_get (call $handle) (i32.const 320) (i32.const 12) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 0) (i32.const 12))
    (call $check (call $header_get (call $handle) (i32.const 340) (i32.const 7) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 0) (i32.const 13))
    (call $check (i32.load (i32.const 208)) (i32.const 3) (i32.const 14))
    (call $check (i32.load8_u (i32.const 512)) (i32.const 111) (i32.const 15))
    (call $check (call $header_get (call $handle) (i32.const 350) (i32.const 6) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 5) (i32.const 16))
    ;; The body has five bytes.
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 0) (i32.const 208)) (i32.const 0) (i32.const 17))
    (call $check (i32.load (i32.const 208)) (i32.const 0) (i32.const 18))
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 2) (i32.const 208)) (i32.const 0) (i32.const 19))
    (call $check (i32.load (i32.const 208)) (i32.const 2) (i32.const 20))
    (call $check (i32.load16_u (i32.const 512)) (i32.const 25960) (i32.const 21))
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 2) (i32.const 208)) (i32.const 0) (i32.const 22))
    (call $check (i32.load (i32.const 208)) (i32.const 2) (i32.const 23))
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 0) (i32.const 24))
    (call $check (i32.load (i32.const 208)) (i32.const 1) (i32.const 25))
    (call $check (i32.load8_u (i32.const 512)) (i32.const 111) (i32.const 26))
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 0) (i32.const 27))
    (call $check (i32.load (i32.const 208)) (i32.const 0) (i32.const 28))
    (call $check (call $body_read (call $handle) (i32.const 512) (i32.const 64) (i32.const 208)) (i32.const 0) (i32.const 29))
    (call $check (i32.load (i32.const 208)) (i32.const 0) (i32.const 30))
    ;; Outputs may lie on top of each other and at odd places.
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 201) (i32.const 201)) (i32.const 0) (i32.const 31))
    (call $check (call $close (i32.load (i32.const 201))) (i32.const 0) (i32.const 32))))

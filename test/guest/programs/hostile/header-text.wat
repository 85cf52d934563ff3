;; Header text in many forms. A line without a colon and a bad name are 9; the last line end may be missing.
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

  (data (i32.const 300) "a")
  (data (i32.const 316) "a:b\nc")
  (data (i32.const 332) "\n")
  (data (i32.const 348) "a:b\n\n")
  (data (i32.const 364) "\na:b")
  (data (i32.const 380) ":b")
  (data (i32.const 396) "a b:c")
  (data (i32.const 412) "a:b")
  (data (i32.const 428) "a:b\n")
  (data (i32.const 444) "a:b\nc:d\n")
  (data (i32.const 460) "a:http://x:1")
  (data (i32.const 476) "a:")

  (func (export "_start")
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 300) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 1))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 316) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 2))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 332) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 3))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 348) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 4))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 364) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 5))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 380) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 6))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 396) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 9) (i32.const 7))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 412) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 0) (i32.const 8))
    (drop (call $close (call $handle)))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 428) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 0) (i32.const 9))
    (drop (call $close (call $handle)))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 444) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 0) (i32.const 10))
    (drop (call $close (call $handle)))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 460) (i32.const 12) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 0) (i32.const 11))
    (drop (call $close (call $handle)))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 476) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 0) (i32.const 12))
    (drop (call $close (call $handle)))
    (call $check (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 65536) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204)) (i32.const 0) (i32.const 13))))

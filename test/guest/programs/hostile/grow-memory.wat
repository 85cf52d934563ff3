;; Grows its memory until it may not, uses its last byte, and asks with pointers at its end.
(module
  (import "wasi_experimental_http" "req"
    (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
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

  (func (export "_start") (local $end i32)
    (loop $next (br_if $next (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    ;; 16 MiB are allowed.
    (call $check (memory.size) (i32.const 256) (i32.const 1))
    (local.set $end (i32.mul (memory.size) (i32.const 65536)))
    (i32.store8 (i32.sub (local.get $end) (i32.const 1)) (i32.const 1))
    (call $check
      (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 200) (i32.sub (local.get $end) (i32.const 4)))
      (i32.const 0) (i32.const 2))
    (call $check (i32.eqz (i32.load (i32.sub (local.get $end) (i32.const 4)))) (i32.const 0) (i32.const 3))
    (call $check
      (call $req (i32.const 0) (i32.const 34) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 200) (i32.sub (local.get $end) (i32.const 3)))
      (i32.const 3) (i32.const 4))))

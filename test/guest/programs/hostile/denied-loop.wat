;; Asks for what is denied, again and again; ends itself if it ever gets it.
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

  (data (i32.const 300) "http://denied.example/")
  (func (export "_start")
    (loop $for_ever
      (call $check
        (call $req (i32.const 300) (i32.const 22) (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 204))
        (i32.const 7) (i32.const 1))
      (br $for_ever))))

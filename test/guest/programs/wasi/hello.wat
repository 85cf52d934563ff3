;; Writes two pieces to standard output, one to standard error, and returns.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "hello, ")
  (data (i32.const 80) "world\n")
  (data (i32.const 0) "\40\00\00\00\07\00\00\00" "\50\00\00\00\06\00\00\00")
  (func (export "_start")
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 32)) (then unreachable))
    (if (i32.ne (i32.load (i32.const 32)) (i32.const 13)) (then unreachable))
    (if (call $fd_write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 32)) (then unreachable))))

;; Grows its memory and writes from the new page, which an old view of memory would not see.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (local $page i32)
    (local.set $page (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
    (i32.store8 (i32.add (local.get $page) (i32.const 8)) (i32.const 0x47))
    (i32.store (local.get $page) (i32.add (local.get $page) (i32.const 8)))
    (i32.store (i32.add (local.get $page) (i32.const 4)) (i32.const 1))
    (if (call $fd_write (i32.const 1) (local.get $page) (i32.const 1) (i32.const 0)) (then unreachable))))

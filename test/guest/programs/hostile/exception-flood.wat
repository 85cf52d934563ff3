;; Throws 64 values at every depth of a recursion and keeps them all: fills the heap of the thread, not its memory.
(module
  (tag $thrown
    (param
      i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
      i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
      i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
      i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64))
  (func $throw
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (i64.const -1) (i64.const -1) (i64.const -1) (i64.const -1)
    (throw $thrown))
  (func $deeper (try (do (call $throw)) (catch_all (call $deeper) (rethrow 0))))
  (func (export "_start") (loop $for_ever (call $deeper) (br $for_ever))))

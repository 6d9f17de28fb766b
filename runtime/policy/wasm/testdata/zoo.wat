;; A module that misbehaves on demand: the one-letter value of the constraint says
;; how. It answers "z" well: value 1 gets as its quota the number of evaluations
;; that this instance has seen, which tells a fresh instance from an old one.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "policy_v1" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (table $t 1 funcref)
  (global $calls (mut i32) (i32.const 0))
  (global $buffer (mut i32) (i32.const 1024))
  ;; The last global of its own: the host's counters come next.
  (global $mine (export "fuel") (mut i64) (i64.const 0))
  ;; Description{name "zoo", version "1", operators ["ZOO"]}
  (data (i32.const 16) "\12\03zoo\1a\011\22\03ZOO")
  ;; PreparedConstraint{handle 0, traits stateful}; the handle is filled in
  (data (i32.const 48) "\08\00\10\02")
  ;; ConstraintAnswer{quota [0, 0]}; the second is filled in
  (data (i32.const 64) "\0a\08\00\00\00\00\00\00\00\00")
  ;; ConstraintAnswer{quota [0, 5], flags 64}
  (data (i32.const 80) "\0a\08\00\00\00\00\05\00\00\00\10\40")
  ;; Error{FAULT, "tired"}
  (data (i32.const 96) "\08\02\12\05tired")
  (data $passive "0123456789")

  (func (export "policy_abi_v1"))
  (func (export "policy_buffer") (param i32) (result i32) (global.get $buffer))
  (func (export "policy_describe") (result i64) (call $answer (i32.const 16) (i32.const 13)))
  (func (export "policy_configure") (param i32) (result i64) (i64.const 0))
  (func (export "constraint_release") (param i32))

  (func $answer (param $at i32) (param $size i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
            (i64.extend_i32_u (local.get $size))))

  ;; The spec starts with field "f" and operator "ZOO": the letter is at 10.
  (func (export "constraint_prepare") (param i32) (result i64)
    (local $letter i32)
    (local.set $letter (i32.load8_u (i32.const 1034)))
    (i32.store8 (i32.const 49) (local.get $letter))
    (i32.store8 (i32.const 51) (select (i32.const 1) (i32.const 2) (i32.eq (local.get $letter) (i32.const 112))))
    (call $answer (i32.const 48) (i32.const 4)))

  (func (export "constraint_evaluate") (param $how i32) (param i32) (result i64)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 70) (global.get $calls))
    (if (call $is (local.get $how) (i32.const 108)) (then (call $loop)))       ;; l
    (if (call $is (local.get $how) (i32.const 114)) (then (call $recurse)))    ;; r
    (if (call $is (local.get $how) (i32.const 116)) (then (call $tree (i32.const 60)))) ;; t
    (if (call $is (local.get $how) (i32.const 103)) (then (call $grow)))       ;; g
    (if (call $is (local.get $how) (i32.const 102)) (then (call $fill)))       ;; f
    (if (call $is (local.get $how) (i32.const 99)) (then (call $copy)))        ;; c
    (if (call $is (local.get $how) (i32.const 105)) (then (call $init)))       ;; i
    (if (call $is (local.get $how) (i32.const 84)) (then (call $tables)))      ;; T
    (if (call $is (local.get $how) (i32.const 104)) (then (call $host)))       ;; h
    (if (call $is (local.get $how) (i32.const 76)) (then (call $chatter)))     ;; L
    (if (call $is (local.get $how) (i32.const 107)) (then (call $scatter)))    ;; k
    (if (call $is (local.get $how) (i32.const 71)) (then (call $refill)))      ;; G
    (if (call $is (local.get $how) (i32.const 117)) (then (unreachable)))      ;; u
    (if (call $is (local.get $how) (i32.const 100))                            ;; d
      (then (drop (i32.div_u (i32.const 1) (i32.const 0)))))
    (if (call $is (local.get $how) (i32.const 77))                             ;; M: more memory
      (then (drop (memory.grow (i32.const 20)))))
    (if (call $is (local.get $how) (i32.const 98))                             ;; b
      (then (global.set $buffer (i32.const 0xfffffff0))))
    (if (call $is (local.get $how) (i32.const 110))                            ;; n: lying length
      (then (return (call $answer (i32.const 64) (i32.const 0x7fffffff)))))
    (if (call $is (local.get $how) (i32.const 111))                            ;; o: lying pointer
      (then (return (call $answer (i32.const 0xfffffff0) (i32.const 64)))))
    (if (call $is (local.get $how) (i32.const 119))                            ;; w: both, 2 GiB
      (then (return (call $answer (i32.const 0xfffffff0) (i32.const 0x7ffffffe)))))
    (if (call $is (local.get $how) (i32.const 115))                            ;; s: no quotas
      (then (return (i64.const 0))))
    (if (call $is (local.get $how) (i32.const 120))                            ;; x: unknown flags
      (then (return (call $answer (i32.const 80) (i32.const 12)))))
    (if (call $is (local.get $how) (i32.const 112))                            ;; p: pure, but 5
      (then (return (call $answer (i32.const 80) (i32.const 10)))))
    (if (call $is (local.get $how) (i32.const 109))                            ;; m: cut short
      (then (return (call $answer (i32.const 64) (i32.const 5)))))
    (if (call $is (local.get $how) (i32.const 101))                            ;; e: a lying error
      (then (return (call $answer (i32.const 64) (i32.const 0xffffffff)))))
    (if (call $is (local.get $how) (i32.const 69))                             ;; E: an honest error
      (then (return (call $answer (i32.const 96) (i32.const 0x80000009)))))
    (call $answer (i32.const 64) (i32.const 10)))

  (func $is (param i32 i32) (result i32) (i32.eq (local.get 0) (local.get 1)))
  (func $loop (loop $again (br $again)))
  (func $refill (loop $again (global.set $mine (i64.const 0x7fffffffffffffff)) (br $again)))
  (func $recurse (call $recurse) (call $recurse))
  (func $tree (param $n i32)
    (if (local.get $n) (then
      (call $tree (i32.sub (local.get $n) (i32.const 1)))
      (call $tree (i32.sub (local.get $n) (i32.const 1))))))
  (func $grow (loop $again (drop (memory.grow (i32.const 1))) (br $again)))
  (func $fill
    (drop (memory.grow (i32.const 60)))
    (loop $again
      (memory.fill (i32.const 0) (i32.const 7) (i32.shl (memory.size) (i32.const 16)))
      (br $again)))
  (func $copy
    (drop (memory.grow (i32.const 60)))
    (loop $again
      (memory.copy (i32.const 1) (i32.const 0) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)))
      (br $again)))
  (func $init (loop $again
    (memory.init $passive (i32.const 200) (i32.const 0) (i32.const 10)) (br $again)))
  ;; Every read depends on the one before and hits another page: what a unit costs
  ;; at most.
  (func $scatter (local $x i32)
    (drop (memory.grow (i32.const 1000)))
    (loop $again
      (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
      (local.set $x (i32.xor (local.get $x) (i32.load (i32.and (local.get $x) (i32.const 0x3e7fffc)))))
      (br $again)))
  (func $tables (loop $again
    (drop (table.grow $t (ref.null func) (i32.const 1000)))
    (table.fill $t (i32.const 0) (ref.null func) (table.size $t))
    (br $again)))
  (func $host (loop $again (drop (call $random (i32.const 4096) (i32.const 60000))) (br $again)))
  (func $chatter (loop $again (call $log (i32.const 3) (i32.const 96) (i32.const 9)) (br $again))))

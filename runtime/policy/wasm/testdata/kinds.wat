;; A module of every kind but constraint, whose answers cannot be: no decision on a
;; URI, an outcome that there is not, traits of a health rule. Its review is refused in
;; good order.
(module
  (memory (export "memory") 1)
  ;; Description{"kinds", "1", fetch ["f"], upgrade ["u"], health ["h"], admission ["a"]}
  (data (i32.const 16) "\12\05kinds\1a\011\2a\01f\32\01u\3a\01h\42\01a")
  (data (i32.const 48) "\08\01\10\02")        ;; Prepared{handle 1}, with traits if longer
  (data (i32.const 64) "\20\09")              ;; UpgradeStep{outcome 9}
  (data (i32.const 80) "\08\01\12\03bad")     ;; Error{INVALID, "bad"}
  (global $releases (export "releases") (mut i32) (i32.const 0))
  (func (export "policy_abi_v1"))
  (func (export "policy_buffer") (param i32) (result i32) (i32.const 1024))
  (func (export "policy_describe") (result i64) (i64.const 0x1000000016))
  (func (export "policy_configure") (param i32) (result i64) (i64.const 0))
  (func (export "fetch_prepare") (param i32) (result i64) (i64.const 0x3000000002))
  (func (export "fetch_decide") (param i32 i32) (result i64) (i64.const 0))
  (func (export "fetch_release") (param i32) (global.set $releases (i32.add (global.get $releases) (i32.const 1))))
  (func (export "upgrade_prepare") (param i32) (result i64) (i64.const 0x3000000002))
  (func (export "upgrade_next") (param i32 i32) (result i64) (i64.const 0x4000000002))
  (func (export "upgrade_release") (param i32) (global.set $releases (i32.add (global.get $releases) (i32.const 100))))
  (func (export "health_prepare") (param i32) (result i64) (i64.const 0x3000000004))
  (func (export "health_judge") (param i32 i32) (result i64) (i64.const 0))
  (func (export "health_release") (param i32))
  (func (export "admission_review") (param i32) (result i64) (i64.const 0x5080000007)))

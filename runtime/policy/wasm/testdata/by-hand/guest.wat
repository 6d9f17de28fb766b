;; A policy module that is written by hand, from docs/policy-abi.md alone, so that the
;; test which loads it proves what is said there. NO_STOVE takes no value: an agent on
;; which the field is "stove" takes no instance, every other one any number. The answer
;; is written behind the input, where there is room for it.
(module
  (memory (export "memory") 2)
  (global $input i32 (i32.const 1024))   ;; where the host writes

  ;; Description: 1 minor 1, 2 name "no-stove", 3 version "1.0.0", 4 operator "NO_STOVE"
  (data (i32.const 16) "\08\01\12\08no-stove\1a\051.0.0\22\08NO_STOVE")
  ;; PreparedConstraint: 1 handle 7, 2 traits 1 (pure per value)
  (data (i32.const 64) "\08\07\10\01")
  ;; Error: 1 code 1 (invalid), 2 reason
  (data (i32.const 80) "\08\01\12\17NO_STOVE takes no value")
  (data (i32.const 120) "stove")

  (func (export "policy_abi_v1"))
  (func (export "policy_buffer") (param $n i32) (result i32)
    (local $pages i32)
    ;; room for the input, and behind it for an answer of the same length
    (local.set $pages (i32.sub
      (i32.add (i32.shr_u (local.get $n) (i32.const 15)) (i32.const 2)) (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then (if (i32.lt_s (memory.grow (local.get $pages)) (i32.const 0)) (then unreachable))))
    (global.get $input))
  (func (export "policy_describe") (result i64)
    (call $answer (i32.const 16) (i32.const 29)))
  (func (export "policy_configure") (param i32) (result i64) (i64.const 0))
  (func $answer (param $at i32) (param $n i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $n))))

  ;; a varint at $p; the address behind it is left in $next
  (global $next (mut i32) (i32.const 0))
  (func $varint (param $p i32) (result i32)
    (local $v i32) (local $shift i32)
    (loop $more
      (local.set $v (i32.or (local.get $v) (i32.shl
        (i32.and (i32.load8_u (local.get $p)) (i32.const 127)) (local.get $shift))))
      (local.set $shift (i32.add (local.get $shift) (i32.const 7)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br_if $more (i32.ge_u (i32.load8_u (i32.sub (local.get $p) (i32.const 1))) (i32.const 128))))
    (global.set $next (local.get $p))
    (local.get $v))

  ;; The address behind the content of field $field (wire type $type) in the message
  ;; from $p to $end; 0 when it is not there. $next is where the content begins.
  (func $find (param $p i32) (param $end i32) (param $tag i32) (result i32)
    (local $got i32) (local $behind i32)
    (loop $fields
      (if (i32.ge_u (local.get $p) (local.get $end)) (then (return (i32.const 0))))
      (local.set $got (call $varint (local.get $p)))
      (local.set $p (global.get $next))
      (if (i32.eq (i32.and (local.get $got) (i32.const 7)) (i32.const 2)) ;; bytes
        (then
          (local.set $behind (call $varint (local.get $p)))
          (local.set $p (global.get $next))
          (local.set $behind (i32.add (local.get $p) (local.get $behind))))
        (else (if (i32.eq (i32.and (local.get $got) (i32.const 7)) (i32.const 0)) ;; varint
          (then (drop (call $varint (local.get $p))) (local.set $behind (global.get $next)))
          (else (local.set $behind (i32.add (local.get $p) ;; fixed64 is 1, fixed32 is 5
            (select (i32.const 8) (i32.const 4) (i32.eq (i32.and (local.get $got) (i32.const 7)) (i32.const 1)))))))))
      (if (i32.eq (local.get $got) (local.get $tag))
        (then (global.set $next (local.get $p)) (return (local.get $behind))))
      (local.set $p (local.get $behind))
      (br $fields))
    (unreachable))

  (func (export "constraint_prepare") (param $n i32) (result i64)
    ;; ConstraintSpec: 4 has_value is a varint, tag 0x20
    (if (call $find (global.get $input) (i32.add (global.get $input) (local.get $n)) (i32.const 0x20))
      (then (return (i64.or (call $answer (i32.const 80) (i32.const 27)) (i64.const 0x80000000)))))
    (call $answer (i32.const 64) (i32.const 4)))

  (func (export "constraint_evaluate") (param $handle i32) (param $n i32) (result i64)
    (local $column i32) (local $end i32) (local $data i32) (local $off i32) (local $offs i32)
    (local $out i32) (local $from i32) (local $count i32) (local $i i32) (local $head i32)
    ;; 1 column, tag 0x0a; in it 2 data, tag 0x12, and 3 off, tag 0x1a
    (local.set $end (call $find (global.get $input) (i32.add (global.get $input) (local.get $n)) (i32.const 0x0a)))
    (local.set $column (global.get $next))
    (drop (call $find (local.get $column) (local.get $end) (i32.const 0x12)))
    (local.set $data (global.get $next))
    (local.set $offs (call $find (local.get $column) (local.get $end) (i32.const 0x1a)))
    (local.set $off (global.get $next))
    (local.set $count (i32.sub (i32.shr_u (i32.sub (local.get $offs) (local.get $off)) (i32.const 2)) (i32.const 1)))
    ;; the answer: tag 0x0a, its length as a varint of five bytes, one u32 for each value
    (local.set $head (i32.add (i32.add (global.get $input) (local.get $n)) (i32.const 8)))
    (i32.store8 (local.get $head) (i32.const 0x0a))
    (local.set $from (i32.shl (local.get $count) (i32.const 2)))
    (local.set $out (i32.add (local.get $head) (i32.const 1)))
    (loop $length
      (i32.store8 (local.get $out) (i32.or (i32.and (local.get $from) (i32.const 127)) (i32.const 128)))
      (local.set $from (i32.shr_u (local.get $from) (i32.const 7)))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))
      (br_if $length (i32.lt_u (local.get $out) (i32.add (local.get $head) (i32.const 5)))))
    (i32.store8 (local.get $out) (local.get $from))
    (local.set $out (i32.add (local.get $out) (i32.const 1)))
    (loop $values
      (if (i32.lt_u (local.get $i) (local.get $count))
        (then
          (i32.store (local.get $out)
            (select (i32.const 0) (i32.const -1)
              (call $stove
                (i32.add (local.get $data) (i32.load (local.get $off)))
                (i32.add (local.get $data) (i32.load offset=4 (local.get $off))))))
          (local.set $out (i32.add (local.get $out) (i32.const 4)))
          (local.set $off (i32.add (local.get $off) (i32.const 4)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $values))))
    (call $answer (local.get $head) (i32.sub (local.get $out) (local.get $head))))

  ;; whether the text is "stove"
  (func $stove (param $p i32) (param $end i32) (result i32)
    (if (i32.ne (i32.sub (local.get $end) (local.get $p)) (i32.const 5)) (then (return (i32.const 0))))
    (i32.and
      (i32.eq (i32.load (local.get $p)) (i32.load (i32.const 120)))
      (i32.eq (i32.load8_u offset=4 (local.get $p)) (i32.load8_u (i32.const 124)))))

  (func (export "constraint_release") (param i32)))

;; Functions over most of the instruction set, for comparing a module with its
;; metered form. Each takes and returns one i32.
(module
  (memory (export "memory") 1 4)
  (type $unary (func (param i32) (result i32)))
  (table funcref (elem $sum $fib $switch))
  (global $count (mut i32) (i32.const 1))
  (data $words "the quick brown fox")
  (start $begin)
  (func $begin (global.set $count (i32.const 101)))

  (func $sum (export "sum") (param $n i32) (result i32) (local $total i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $total (i32.add (local.get $total) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $total))

  (func $fib (export "fib") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (i32.and (local.get $n) (i32.const 15)) (i32.const 2))
      (then (i32.and (local.get $n) (i32.const 15)))
      (else (i32.add
        (call $fib (i32.sub (i32.and (local.get $n) (i32.const 15)) (i32.const 1)))
        (call $fib (i32.sub (i32.and (local.get $n) (i32.const 15)) (i32.const 2)))))))

  (func $switch (export "switch") (param $n i32) (result i32)
    (block $two (block $one (block $zero
      (br_table $zero $one $two (i32.rem_u (local.get $n) (i32.const 4))))
      (return (i32.const 10)))
      (return (i32.mul (local.get $n) (i32.const 7))))
    (i32.popcnt (local.get $n)))

  (func (export "indirect") (param $n i32) (result i32)
    (call_indirect (type $unary) (local.get $n) (i32.rem_u (local.get $n) (i32.const 3))))

  (func (export "bulk") (param $n i32) (result i32) (local $size i32)
    (local.set $size (i32.and (local.get $n) (i32.const 4095)))
    (memory.fill (i32.const 0) (local.get $n) (local.get $size))
    (memory.copy (i32.const 5000) (i32.const 0) (local.get $size))
    (memory.init $words (i32.const 5001) (i32.const 4) (i32.const 9))
    (drop (memory.grow (i32.and (local.get $n) (i32.const 1))))
    (i32.add (i32.load (i32.const 5000)) (memory.size)))

  (func $pair (param i32) (result i32 i32) (local.get 0) (i32.const 3))
  (func (export "values") (param $n i32) (result i32)
    (i32.add (call $pair (local.get $n)))
    (loop $l (param i32) (result i32) (i32.xor (i32.const 5))
      (br_if $l (i32.eqz (i32.and (i32.const 1)
        (global.get $count)))))
    (global.set $count (i32.add (global.get $count) (i32.const 2)))
    (select (local.get $n) (i32.and (global.get $count) (i32.const 1))))

  (func (export "vector") (param $n i32) (result i32)
    (i32x4.extract_lane 2 (i32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
        (i32x4.splat (local.get $n)) (v128.const i32x4 1 2 3 4))
      (v128.load (i32.const 5000)))))

  (func (export "float") (param $n i32) (result i32)
    (i32.trunc_sat_f64_s (f64.mul (f64.const 1.5) (f64.sqrt (f64.convert_i32_u (local.get $n))))))

  (func (export "trap") (param $n i32) (result i32)
    (i32.div_u (i32.const 100) (i32.rem_u (local.get $n) (i32.const 3)))))

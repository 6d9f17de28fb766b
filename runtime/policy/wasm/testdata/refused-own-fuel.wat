  (global (export "policy_fuel") (mut i64) (i64.const 0))

  (import "policy_v1" "policy_fuel" (global (mut i64)))

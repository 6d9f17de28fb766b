  (import "policy_v1" "log" (func (param i64)))

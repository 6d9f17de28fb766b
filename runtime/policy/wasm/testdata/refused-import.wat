  (import "env" "open_socket" (func (param i32) (result i32)))

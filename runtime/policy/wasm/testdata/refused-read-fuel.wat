  (func (result i64) (global.get 0))

  (func (global.set 0 (i64.const 0x7fffffffffffffff)))

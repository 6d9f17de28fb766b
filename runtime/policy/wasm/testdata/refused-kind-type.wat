  (func (export "fetch_prepare") (param i64) (result i64) (i64.const 0))
  (func (export "fetch_decide") (param i32 i32) (result i64) (i64.const 0))
  (func (export "fetch_release") (param i32))

  (start $forever)
  (func $forever (loop $again (br $again)))

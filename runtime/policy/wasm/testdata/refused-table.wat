  (table 1000000000 funcref)

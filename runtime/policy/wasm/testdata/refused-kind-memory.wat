  (export "admission_review" (memory 0))

#!/usr/bin/env bash
# Runs every fuzz target of the tree, one after the other, for the given time each.
set -euo pipefail
time=${1:-10s}
git grep -lE '^func Fuzz' -- '*_test.go' | while read -r file; do
  for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
    echo "fuzz: $target in $(dirname "$file")"
    go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x
  done
done

#!/usr/bin/env bash
# Prints the figures of the performance goals. Figures are ratios and laws within
# one run: quote those, never the absolute ones. BENCHTIME is per benchmark.
set -euo pipefail
time=${1:-1s}
echo "== $(uname -sr), $(nproc) cores, $(go version | cut -d' ' -f3), load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "== placement: cost per placement, growth laws, offer intake (G1, G2, G11)"
go run ./bench
echo "== durable writes per launched task (G7), and batches against single writes"
go test ./runtime/driver -run '^$' -bench WritesPerLaunch -benchtime "$time"
go test ./runtime/store/... -run '^$' -bench . -benchtime "$time"
echo "== the core: memory per instance (G9), waves, statuses, restoring"
go test ./runtime/scheduler -run '^$' -bench . -skip 'Deployments|Overload' -benchtime "$time"
echo "== many deployments at once, and more than the core can do (G4)"
go test ./runtime/scheduler -run '^$' -bench 'Deployments|Overload' -benchtime 3x
echo "== policies: WASM against native code, and the price of metering"
go test ./runtime/policy/... -run '^$' -bench . -benchtime "$time"
echo "== the API: reads and growth (G6), the event stream (G10), a change among many apps"
go test ./runtime/api -run '^$' -bench . -benchtime 5x
echo "== POST to TASK_RUNNING on the embedded cluster (G3)"
go test ./cmd/pacer -run '^$' -bench PostToRunning -benchtime 3x
echo "== reads during a deployment (G6), of 1,000 instances; without the filter, of 10,000 as well"
go test ./cmd/pacer -run '^$' -bench 'ReadWhileDeploying/instances=1000$' -benchtime 5x

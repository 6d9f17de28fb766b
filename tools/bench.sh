#!/usr/bin/env bash
# Prints the figures of the performance goals. Figures are ratios and laws within
# one run: quote those, never the absolute ones. BENCHTIME is per benchmark.
set -euo pipefail
time=${1:-1s}
echo "== $(uname -sr), $(nproc) cores, $(go version | cut -d' ' -f3), load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "== placement: cost per placement, growth laws, offer intake (G1, G2, G11)"
go run ./bench
echo "== constraints in WASM: what is left of the throughput of the whole scheduler (G5)"
go run ./bench -wasm -agents 1000,10000
echo "== durable writes per launched task (G7), and batches against single writes"
go test ./runtime/driver -run '^$' -bench WritesPerLaunch -benchtime "$time"
go test ./runtime/store/... -run '^$' -bench . -benchtime "$time"
echo "== the core: memory per instance (G9), waves, statuses, changes among many apps, restoring; planning (50 ms for 1,000 dependent apps)"
go test ./runtime/scheduler ./runtime/deployment -run '^$' -bench . -skip 'Deployments|Overload' -benchtime "$time"
echo "== many deployments at once, and more than the core can do (G4)"
go test ./runtime/scheduler -run '^$' -bench 'Deployments|Overload' -benchtime 3x
echo "== policy modules: what is aimed at, and what is reached, in processor time"
go run ./bench -modules
echo "== policies: WASM against native code, and the price of metering"
go test ./runtime/policy/... -run '^$' -bench . -benchtime "$time"
echo "== the API: reads and growth (G6), the event stream (G10), a change among many apps"
go test ./runtime/api -run '^$' -bench . -benchtime 5x
echo "== health checks: how late probes start, what one costs, connections kept or not"
go test ./runtime/health -run '^$' -bench . -benchtime 1x
echo "== POST to TASK_RUNNING on the embedded cluster (G3)"
go test ./cmd/pacer -run '^$' -bench PostToRunning -benchtime 3x
echo "== reads during a deployment (G6), of 1,000 instances; without the filter, of 10,000 as well"
go test ./cmd/pacer -run '^$' -bench 'ReadWhileDeploying/instances=1000$' -benchtime 5x
echo "== the fetcher: ten tasks through the cache against ten downloads (-fetch-mib 1024 for a file of 1 GiB)"
go test ./runtime/cluster/fetcher -run '^$' -bench . -benchtime 2x

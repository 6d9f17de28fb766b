#!/usr/bin/env bash
# Prints the figures of the performance goals. Figures are ratios and laws within
# one run: quote those, never the absolute ones. BENCHTIME is per benchmark. Every
# part runs, whatever those before it missed; the status tells whether one did.
set -uo pipefail
time=${1:-1s}
missed=()

# part runs one of them: its title, and the command.
part() {
	echo "== $1"
	"${@:2}" || missed+=("$1")
}

echo "== $(uname -sr), $(nproc) cores, $(go version | cut -d' ' -f3), load $(cut -d' ' -f1-3 /proc/loadavg)"
part "placement: cost per placement, growth laws, offer intake (G1, G2, G11)" \
	go run ./bench
part "constraints in WASM: what is left of the throughput of the whole scheduler (G5)" \
	go run ./bench -wasm -agents 1000,10000 -rounds 9
part "policy modules: what is aimed at, and what is reached, in processor time" \
	go run ./bench -modules
part "policy modules against modules by OPA and against CEL, which are built first" \
	go run -C bench/peers .
part "policies: WASM against native code, and the price of metering" \
	go test ./runtime/policy/... -run '^$' -bench . -benchtime "$time"
part "durable writes per launched task (G7)" \
	go test ./runtime/driver -run '^$' -bench WritesPerLaunch -benchtime "$time"
part "batches of durable writes against single ones" \
	go test ./runtime/store/... -run '^$' -bench . -benchtime "$time"
part "the core: memory per instance (G9), waves, statuses, changes among many apps, restoring; planning (50 ms for 1,000 dependent apps)" \
	go test ./runtime/scheduler ./runtime/deployment -run '^$' -bench . -skip 'Deployments|Overload' -benchtime "$time"
part "many deployments at once, and more than the core can do (G4)" \
	go test ./runtime/scheduler -run '^$' -bench 'Deployments|Overload' -benchtime 3x
part "the API: reads and growth (G6), the event stream (G10), a change among many apps" \
	go test ./runtime/api -run '^$' -bench . -benchtime 5x
part "health checks: how late probes start, what one costs, connections kept or not" \
	go test ./runtime/health -run '^$' -bench . -benchtime 1x
part "POST to TASK_RUNNING on the embedded cluster (G3)" \
	go test ./cmd/pacer -run '^$' -bench PostToRunning -benchtime 3x
part "reads during a deployment (G6), of 1,000 instances; without the filter, of 10,000 as well" \
	go test ./cmd/pacer -run '^$' -bench 'ReadWhileDeploying/instances=1000$' -benchtime 5x
part "the fetcher: ten tasks through the cache against ten downloads (-fetch-mib 1024 for a file of 1 GiB)" \
	go test ./runtime/cluster/fetcher -run '^$' -bench . -benchtime 2x

if ((${#missed[@]} > 0)); then
	echo "== missed or failed:"
	printf '   %s\n' "${missed[@]}"
	exit 1
fi
echo "== nothing is missed"

# Two commands are enough to begin with: make dev, make test.

GO        ?= go
BIN       := bin/pacer
SEEDS     ?= 200
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
LINT      := $(GO) tool -modfile=tools/go.mod golangci-lint
# Packages whose tests start processes or servers of their own run one after the
# other: they measure time, and share the machine's cores.
HEAVY     := ./runtime/cluster/... ./runtime/store/... ./runtime/election/... ./runtime/zookeeper/... ./runtime/policy/...
# The binary notes its commit where git lets it.
VCS       := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

.PHONY: all build dev policies test unit race e2e rewrite sim fuzz bench bench-peers check lint needs clean

all: build

build: ## the one binary, bin/pacer
	$(GO) build -trimpath -buildvcs=$(VCS) -o $(BIN) ./cmd/pacer

dev: build ## a cluster of three agents, a store and the API on this machine
	$(BIN) dev $(ARGS)

policies: ## the example policies, as WASM modules under bin/policies
	GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -buildvcs=false -buildmode=c-shared \
		-ldflags='-s -w' -o bin/policies/rack-spread.wasm ./examples/policies/rack-spread

needs: ## installs what the tests need, or says what is missing
	@tools/needs.sh

test: needs ## everything that has to pass: vet, all tests under the race detector, e2e
	$(GO) vet ./...
	$(MAKE) --no-print-directory race e2e

unit: ## the same tests without the race detector: quicker while working
	$(GO) test $$($(GO) list ./... | grep -v /e2e)

race: ## all tests but e2e under the race detector
	$(GO) test -count=1 . # the graph of imports, which the test cache does not see
	$(GO) test -race -timeout 15m $$($(GO) list ./... | grep -vE '/(e2e|runtime/(cluster|store|election|zookeeper|policy))(/|$$)|/examples/policies$$')
	$(GO) test -timeout 10m ./examples/policies # it builds modules, and compiles those in Go, which takes minutes under the race detector
	$(GO) test -race -timeout 20m -p 1 $(HEAVY)
	$(GO) test -timeout 5m -p 1 ./runtime/election ./runtime/zookeeper # some tests meet a race of the ZooKeeper library
	$(GO) test ./runtime/policy/wasm -run 'Reloads|Vectors|Fuel|Random|Fuzz|Differential' # memory cannot be measured under the race detector, and Go guests compile, and expressions are tried, for minutes
	$(GO) test ./runtime/policy/author -run GoScaffoldsBuild # the same
	$(GO) test ./runtime/scheduler -run TestSimulation -count=1 -seeds=1000 # too slow under the race detector

e2e: needs ## the real binary, real processes, a real ZooKeeper
	$(GO) test -timeout 10m -count=1 ./e2e

rewrite: ## writes the golden scripts anew; read the diff before you commit it
	$(GO) test ./runtime/scheduler ./plugins/upgrades -rewrite
	$(GO) test ./cmd/pacer -run FlagsPage -rewrite

sim: ## the simulation with SEEDS seeds
	$(GO) test ./runtime/scheduler -run TestSimulation -count=1 -seeds=$(SEEDS)

fuzz: ## each fuzz target for FUZZTIME
	tools/fuzz.sh $(FUZZTIME)

bench: ## the figures of the performance goals, as ratios within one run
	tools/bench.sh $(BENCHTIME)

bench-peers: ## policy modules against OPA's and CEL: a module of Go of its own, which takes minutes to build
	$(GO) -C bench/peers run . $(ARGS)

lint: ## the pinned linter; the first run builds it, which takes minutes
	$(LINT) run

check: lint ## formatting, lint, vet, modernisers, tidy modules, and a clean tree after it all
	test -z "$$(gofmt -l $$(git ls-files '*.go'))"
	$(GO) vet ./...
	$(GO) vet -C bench/peers ./...
	$(GO) fix -diff ./...
	$(GO) mod tidy -diff
	test -z "$$(git status --porcelain)"

clean:
	rm -rf bin

//go:build !race

package wasm

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

const pluginsFolder = "../../../plugins/"

// The policies that are built in, as a WASM module that is compiled or interpreted,
// metered in any case, answer the vectors of every kind with the same bytes as
// natively.
func TestBuiltinVectors(t *testing.T) {
	for name, options := range map[string]Options{"compiled": {}, "interpreted": {Interpreted: true}} {
		m, err := loadWith(t, buildGuest(t, guestBuiltin), DefaultLimits(), options)
		if err != nil {
			t.Fatal(err)
		}
		on := func(kind string, check func(t *testing.T, w *twins)) {
			t.Run(name+"/"+kind, func(t *testing.T) { check(t, &twins{t: t, m: &tap{Module: m}}) })
		}
		on("constraint", func(t *testing.T, w *twins) {
			policytest.Run(t, twinConstraint{w}.Prepare, vectors(t, pluginsFolder+"constraints/testdata/vectors.txt"))
		})
		on("fetch", func(t *testing.T, w *twins) {
			policytest.RunFetch(t, []sdk.Fetch{twinFetch{w}}, read(t, pluginsFolder+"fetchers/testdata/vectors.txt", policytest.ReadFetch))
		})
		on("health", func(t *testing.T, w *twins) { policytest.RunHealth(t, twinHealth{w}) })
		on("upgrade", func(t *testing.T, w *twins) { anyUpgrades(t, twinUpgrade{w}) })
		on("admission", func(t *testing.T, w *twins) {
			text, err := os.ReadFile(pluginsFolder + "admission/testdata/vectors.json")
			if err != nil {
				t.Fatal(err)
			}
			list, err := policytest.ReadAdmission(text)
			if err != nil {
				t.Fatal(err)
			}
			policytest.RunAdmission(t, []sdk.Admission{twinAdmission{w}}, list)
		})
	}
}

// anyUpgrades asks every strategy about states of all kinds, each with what the step
// before left.
func anyUpgrades(t *testing.T, policy sdk.Upgrade) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, strategy := range policy.Strategies() {
		spec := sdk.UpgradeSpec{Strategy: strategy, App: sdk.AppFacts{ID: "/app", Instances: 10}, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 1}
		p, err := policy.Prepare(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		memory := []byte(nil)
		for range 200 {
			step, err := p.Next(t.Context(), anyState(random, memory))
			if err != nil {
				t.Fatal(err)
			}
			memory = step.Memory
		}
		p.Close()
	}
}

func anyState(random *rand.Rand, memory []byte) sdk.UpgradeState {
	upTo := func(n uint32) uint32 { return random.Uint32N(n + 1) }
	s := sdk.UpgradeState{Instances: 1 + upTo(20), Memory: memory, Millis: random.Uint64N(1 << 30), Promotions: upTo(2)}
	s.MinimumHealthCapacity, s.MaximumOverCapacity = random.Float64(), random.Float64()
	s.MinHealthy = upTo(s.Instances - 1)
	s.MaxTotal = s.Instances + upTo(s.Instances)
	s.Old = upTo(20)
	s.OldDying = upTo(s.Old)
	s.OldHealthy = upTo(s.Old - s.OldDying)
	s.New = upTo(s.Instances)
	s.NewHealthy, s.NewReady = upTo(s.New), upTo(s.New)
	s.NowMillis = int64(random.Uint64N(1 << 41))
	return s
}

// The example answers as its own vectors say; its native test uses the same.
func TestRackSpreadVectors(t *testing.T) {
	m, err := load(t, buildGuest(t, guestRackSpread), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	policytest.Run(t, remote.Constraint(m).Prepare, vectors(t, guestRackSpread+"/vectors.txt"))
}

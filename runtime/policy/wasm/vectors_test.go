//go:build !race

package wasm

import (
	"math/rand/v2"
	"os"
	"strings"
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
			t.Run(name+"/"+kind, func(t *testing.T) { check(t, &twins{t, &tap{Module: m}}) })
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

// FuzzBuiltin looks for a column on which an operator answers other bytes as a module
// than natively.
func FuzzBuiltin(f *testing.F) {
	m, err := load(f, buildGuest(f, guestBuiltin), DefaultLimits())
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vectors(f, pluginsFolder+"constraints/testdata/vectors.txt") {
		placed := make([]byte, len(v.Input.Placed))
		for i, n := range v.Input.Placed {
			placed[i] = byte(n)
		}
		f.Add(v.Spec.Operator, v.Spec.Value, v.Spec.HasValue, strings.Join(v.Input.Values[1:], "\n"), placed, v.Input.Instances)
	}
	f.Fuzz(func(t *testing.T, operator, value string, has bool, column string, placed []byte, instances uint32) {
		w := twinConstraint{&twins{t, &tap{Module: m}}}
		names := w.Operators()
		spec := sdk.ConstraintSpec{Field: "f", Operator: names[0], HasValue: has, App: sdk.AppFacts{ID: "/a", Instances: instances}}
		for _, name := range names {
			if name == operator {
				spec.Operator = name
			}
		}
		if has {
			spec.Value = strings.ToValidUTF8(value[:min(len(value), 64)], "?")
		}
		p, err := w.Prepare(t.Context(), spec)
		if err != nil {
			return // both refuse it alike, or the test has failed
		}
		defer p.Close()
		if _, err := p.Evaluate(t.Context(), anyInput(column, placed, instances, p.Traits())); err != nil {
			t.Error(err)
		}
	})
}

// anyInput is a column of up to 64 values, none twice.
func anyInput(column string, placed []byte, instances uint32, traits sdk.Traits) sdk.ConstraintInput {
	in := sdk.ConstraintInput{Values: []string{""}, First: -1, Instances: instances}
	seen := map[string]bool{}
	column = strings.ToValidUTF8(column[:min(len(column), 4096)], "?")
	for value := range strings.SplitSeq(column, "\n") {
		if !seen[value] && len(in.Values) < 64 {
			seen[value] = true
			in.Values = append(in.Values, value)
		}
	}
	if traits&sdk.Stateful == 0 {
		return in
	}
	in.Placed = make([]uint32, len(in.Values))
	for i := range in.Placed {
		if i < len(placed) {
			in.Placed[i] = uint32(placed[i])
		}
		if in.First < 0 && in.Placed[i] > 0 {
			in.First = i
		}
	}
	return in
}

// The example answers as its own vectors say; its native test uses the same.
func TestRackSpreadVectors(t *testing.T) {
	m, err := load(t, buildGuest(t, guestRackSpread), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	policytest.Run(t, remote.Constraint(m).Prepare, vectors(t, guestRackSpread+"/vectors.txt"))
}

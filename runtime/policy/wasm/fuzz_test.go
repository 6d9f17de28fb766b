//go:build !race

package wasm

import (
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// The fuzz targets look for a question that a policy answers with other bytes, or
// refuses in other words, as a module than natively.

// fuzzed loads the policies as a module for a fuzz target.
func fuzzed(f *testing.F) func(t *testing.T) *twins {
	f.Helper()
	m, err := load(f, buildGuest(f, guestBuiltin), DefaultLimits())
	if err != nil {
		f.Fatal(err)
	}
	return func(t *testing.T) *twins { return &twins{t: t, m: &tap{Module: m}} }
}

// FuzzConstraint is about the quotas of a column.
func FuzzConstraint(f *testing.F) {
	both := fuzzed(f)
	for _, v := range vectors(f, pluginsFolder+"constraints/testdata/vectors.txt") {
		placed := make([]byte, len(v.Input.Placed))
		for i, n := range v.Input.Placed {
			placed[i] = byte(n)
		}
		f.Add(v.Spec.Operator, v.Spec.Value, v.Spec.HasValue, strings.Join(v.Input.Values[1:], "\n"), placed, v.Input.Instances)
	}
	f.Fuzz(func(t *testing.T, operator, value string, has bool, column string, placed []byte, instances uint32) {
		w := twinConstraint{both(t)}
		spec := sdk.ConstraintSpec{Field: "f", Operator: named(operator, w.Operators()), HasValue: has, App: sdk.AppFacts{ID: "/a", Instances: instances}}
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

// FuzzFetch is about settings and URIs.
func FuzzFetch(f *testing.F) {
	both := fuzzed(f)
	for _, v := range read(f, pluginsFolder+"fetchers/testdata/vectors.txt", policytest.ReadFetch) {
		f.Add(v.Policy, v.Settings, "", v.URI, !v.Unenforced, byte(1))
	}
	f.Fuzz(func(t *testing.T, policy, settings, labels, uris string, enforced bool, flags byte) {
		askFetch(both(t), policy, settings, labels, uris, enforced, flags)
	})
}

// FuzzUpgrade is about labels, and a few states one after the other.
func FuzzUpgrade(f *testing.F) {
	both := fuzzed(f)
	f.Fuzz(func(t *testing.T, strategy, labels string, minimum, over float64, counts, memory []byte, millis, now uint64, promotions uint8, undoes bool) {
		askUpgrade(both(t), strategy, labels, minimum, over, counts, memory, millis, now, promotions, undoes)
	})
}

// FuzzHealth is about labels, courses of results, and records of any kind.
func FuzzHealth(f *testing.F) {
	both := fuzzed(f)
	f.Fuzz(func(t *testing.T, rule, labels, courses, cause string, most uint32, byMesos bool, recent uint64, results, failures uint32, success, failure int64) {
		askHealth(both(t), rule, labels, courses, cause, most, byMesos, sdk.HealthRecord{
			FirstSuccess: success, LastSuccess: success, LastFailure: failure, ConsecutiveFailures: failures, Recent: recent, Results: results,
		})
	})
}

// FuzzAdmission is about settings and apps in JSON, or in what is none.
func FuzzAdmission(f *testing.F) {
	both := fuzzed(f)
	f.Fuzz(func(t *testing.T, policy, settings, before, after string, verb, subject uint8) {
		const most = 4096
		askAdmission(both(t), policy, settings, before[:min(len(before), most)], after[:min(len(after), most)], verb, subject)
	})
}

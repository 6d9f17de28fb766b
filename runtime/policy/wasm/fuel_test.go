//go:build !race

package wasm

import (
	"math"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// What a value costs is the same in every run, compiled or interpreted, so it can be
// held to a limit: a change of the guests, the metering or the messages that makes it
// much dearer shows here. Compilers differ by some per cent; the limits are twice what
// was measured.
func TestFuelOfLike(t *testing.T) {
	tests := []struct {
		name, like string
		code       []byte
		limit      int64 // for each of 40 values
	}{
		{"go", "W_LIKE", buildGuest(t, guestBuiltin), 16_000},
		{"c", "C_LIKE", buildClang(t, exampleC), 4_000},
		{"assemblyscript", "AS_LIKE", buildAsc(t, exampleAS, "incremental"), 4_000},
	}
	for _, test := range tests {
		first := fuelOfLike(t, test.code, test.like, Options{})
		for _, options := range []Options{{}, {Interpreted: true}} {
			if used := fuelOfLike(t, test.code, test.like, options); used != first {
				t.Errorf("%s: %d units, then %d with interpreted %t", test.name, first, used, options.Interpreted)
			}
		}
		t.Logf("%s: %d units for each value", test.name, first/40)
		if first/40 > test.limit {
			t.Errorf("%s: %d units for each value, %d are allowed", test.name, first/40, test.limit)
		}
	}
}

// fuelOfLike is what the cheapest of five questions about 40 racks costs: guests prepare
// things with the first, and one or the other has a collection of garbage in it.
func fuelOfLike(t *testing.T, code []byte, operator string, options Options) int64 {
	t.Helper()
	m, err := loadWith(t, code, DefaultLimits(), options)
	if err != nil {
		t.Fatal(err)
	}
	spec := sdk.ConstraintSpec{Field: "rack", Operator: operator, Value: likeRacks, HasValue: true}
	p, err := remote.Constraint(m).Prepare(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	values, _ := racks(40)
	least := int64(math.MaxInt64)
	for range 5 {
		before := m.FuelUsed()
		if _, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: values, First: -1}); err != nil {
			t.Fatal(err)
		}
		least = min(least, m.FuelUsed()-before)
	}
	return least
}

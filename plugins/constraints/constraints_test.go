package constraints_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

func byOperator(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	for _, c := range constraints.All() {
		if slices.Contains(c.Operators(), spec.Operator) {
			return c.Prepare(ctx, spec)
		}
	}
	return nil, fmt.Errorf("no operator %s", spec.Operator)
}

func TestVectors(t *testing.T) {
	file, err := os.Open("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vectors, err := policytest.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	policytest.Run(t, byOperator, vectors)
}

// Traits decide what the host remembers, so a wrong one gives stale placements.
func TestTraits(t *testing.T) {
	tests := []struct {
		operator, value string
		want            sdk.Traits
	}{
		{"UNIQUE", "", sdk.Stateful},
		{"CLUSTER", "", sdk.Stateful},
		{"CLUSTER", "r1", sdk.PurePerValue},
		{"GROUP_BY", "", sdk.Stateful},
		{"MAX_PER", "1", sdk.Stateful},
		{"LIKE", "a", sdk.PurePerValue},
		{"UNLIKE", "a", sdk.PurePerValue},
		{"IS", "a", sdk.PurePerValue},
	}
	for _, test := range tests {
		spec := sdk.ConstraintSpec{Operator: test.operator, Value: test.value, HasValue: test.value != ""}
		prepared, err := byOperator(t.Context(), spec)
		if err != nil {
			t.Fatalf("%s: %v", test.operator, err)
		}
		if got := prepared.Traits(); got != test.want {
			t.Errorf("%s %q: traits %b, want %b", test.operator, test.value, got, test.want)
		}
	}
}

// Who counts answers in the room that is lent, and in none that does not fit.
func TestRoom(t *testing.T) {
	for _, c := range []sdk.ConstraintSpec{
		{Operator: "UNIQUE"}, {Operator: "CLUSTER"}, {Operator: "GROUP_BY"}, {Operator: "MAX_PER", Value: "2", HasValue: true},
	} {
		prepared, err := byOperator(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 2, 3, 4} {
			in := sdk.ConstraintInput{
				Values: []string{"", "a", "b"}, Placed: make([]uint32, 3), First: -1, Room: make([]uint32, size),
			}
			answer, err := prepared.Evaluate(t.Context(), in)
			if err != nil || len(answer.Quota) != 3 {
				t.Fatalf("%s, room for %d: %v, %v", c.Operator, size, answer, err)
			}
			if used := size > 0 && &answer.Quota[0] == &in.Room[0]; used != (size == 3) {
				t.Errorf("%s, room for %d: used %v", c.Operator, size, used)
			}
		}
	}
}

// Spreading keeps the groups even at every moment and never comes to a halt.
func TestGroupByStaysEven(t *testing.T) {
	prepared, err := constraints.GroupBy{}.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "GROUP_BY"})
	if err != nil {
		t.Fatal(err)
	}
	in := sdk.ConstraintInput{Values: []string{"", "a", "b", "c"}, Placed: make([]uint32, 4), First: 1, Instances: 100}
	for n := range 100 {
		answer, err := prepared.Evaluate(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		slot := slices.Index(answer.Quota, 1)
		if slot < 0 {
			t.Fatalf("after %d instances nothing fits: %v", n, in.Placed)
		}
		in.Placed[slot]++
		if groups := in.Placed[1:]; slices.Max(groups)-slices.Min(groups) > 1 {
			t.Fatalf("uneven after %d instances: %v", n, groups)
		}
	}
}

package placement

import (
	"context"
	"fmt"
	"testing"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// watched counts how often a policy is asked.
type watched struct {
	sdk.PreparedConstraint
	calls int
}

func (w *watched) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	w.calls++
	return w.PreparedConstraint.Evaluate(ctx, in)
}

// TestWorkDoesNotGrow places instances from many and from more offers and wants
// it to look at as many of them, and to ask as often, as the instances need. It
// is the growth law of the benchmark without a clock.
func TestWorkDoesNotGrow(t *testing.T) {
	const instances, racks = 200, 20
	tests := map[string]struct {
		rule  *spec.Constraint
		calls int // per match
		rows  int // at most
	}{
		"plain":         {rows: instances / 5},
		"LIKE":          {&spec.Constraint{Field: "rack", Operator: "LIKE", Value: "r1?[0-4]", HasValue: true}, 1, 128},
		"UNIQUE":        {&spec.Constraint{Field: "hostname", Operator: "UNIQUE"}, 1, 256},
		"MAX_PER":       {&spec.Constraint{Field: "hostname", Operator: "MAX_PER", Value: "2", HasValue: true}, 1, 128},
		"GROUP_BY":      {&spec.Constraint{Field: "rack", Operator: "GROUP_BY"}, instances / racks, 64},
		"GROUP_BY host": {&spec.Constraint{Field: "hostname", Operator: "GROUP_BY"}, 1, 256},
		"CLUSTER":       {&spec.Constraint{Field: "rack", Operator: "CLUSTER"}, 1, 1024},
	}
	for name, test := range tests {
		for _, agents := range []int{1000, 4000} {
			t.Run(fmt.Sprintf("%s on %d", name, agents), func(t *testing.T) {
				req := Request{Agents: hosts(0, agents)}
				for i, a := range req.Agents {
					a.Attributes = []Attribute{{"rack", fmt.Sprint("r", i%racks)}}
					share := Share{Scalars: [kinds]Milli{CPUs: 100000}}
					req.Offers = append(req.Offers, &Offer{Agent: a, Role: "*", Shares: []Share{share}})
				}
				app := &spec.App{ID: "/a", Role: "*", CPUs: 1}
				req.Wanted = []Wanted{{App: app, Count: instances}}
				policy := &watched{}
				m := Matcher{MaxPerOffer: 5}
				got := m.Match(context.Background(), req, func(*spec.App) []Rule {
					if test.rule == nil {
						return nil
					}
					policy.PreparedConstraint = builtin(t, *test.rule)
					return []Rule{{Constraint: *test.rule, Prepared: policy}}
				})
				if len(got.Placements) != instances {
					t.Fatalf("placed %d", len(got.Placements))
				}
				if policy.calls > test.calls || m.table.ready > test.rows {
					t.Errorf("asked %d times, looked at %d offers; want %d, %d at most",
						policy.calls, m.table.ready, test.calls, test.rows)
				}
			})
		}
	}
}

func builtin(t *testing.T, c spec.Constraint) sdk.PreparedConstraint {
	t.Helper()
	for _, b := range constraints.All() {
		if b.Operators()[0] != c.Operator {
			continue
		}
		prepared, err := b.Prepare(context.Background(), sdk.ConstraintSpec{
			Field: c.Field, Operator: c.Operator, Value: c.Value, HasValue: c.HasValue,
		})
		if err != nil {
			t.Fatal(err)
		}
		return prepared
	}
	t.Fatalf("no operator %s", c.Operator)
	return nil
}

package placement

import (
	"context"
	"fmt"
	"runtime"
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
		"LIKE":          {&spec.Constraint{Field: "rack", Operator: "LIKE", Value: "r1?[0-4]", HasValue: true}, 1, 96},
		"UNIQUE":        {&spec.Constraint{Field: "hostname", Operator: "UNIQUE"}, 1, 216},
		"MAX_PER":       {&spec.Constraint{Field: "hostname", Operator: "MAX_PER", Value: "2", HasValue: true}, 1, 144},
		"GROUP_BY":      {&spec.Constraint{Field: "rack", Operator: "GROUP_BY"}, instances / racks, 64},
		"GROUP_BY host": {&spec.Constraint{Field: "hostname", Operator: "GROUP_BY"}, 1, 216},
		"CLUSTER":       {&spec.Constraint{Field: "rack", Operator: "CLUSTER"}, 1, 1093},
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

// TestRoomDoesNotGrow wants a match in a large cluster to allocate as much as one
// in a small one, for rules that are asked about every host: less than a byte for
// each agent more.
func TestRoomDoesNotGrow(t *testing.T) {
	for name, rule := range map[string]spec.Constraint{
		"UNIQUE":   {Field: "hostname", Operator: "UNIQUE"},
		"MAX_PER":  {Field: "hostname", Operator: "MAX_PER", Value: "1", HasValue: true},
		"GROUP_BY": {Field: "hostname", Operator: "GROUP_BY"},
	} {
		for _, apps := range []int{1, 50} {
			t.Run(fmt.Sprintf("%s, %d apps", name, apps), func(t *testing.T) {
				few, many := allocated(t, rule, 1000, apps), allocated(t, rule, 10000, apps)
				if many > few+9000 {
					t.Errorf("a match allocates %d bytes on 1000 agents and %d on 10000", few, many)
				}
			})
		}
	}
}

// allocated is how many bytes a match of 50 instances of new apps allocates, by a
// matcher that knows the agents.
func allocated(t *testing.T, rule spec.Constraint, agents, apps int) uint64 {
	const instances, matches = 50, 20
	req := Request{Agents: hosts(0, agents), Wanted: make([]Wanted, apps)}
	for _, a := range req.Agents {
		share := Share{Scalars: [kinds]Milli{CPUs: 100000}}
		req.Offers = append(req.Offers, &Offer{Agent: a, Role: "*", Shares: []Share{share}})
	}
	rules := []Rule{{Constraint: rule, Prepared: builtin(t, rule)}}
	var m Matcher
	var before, after runtime.MemStats
	for n := range matches + 2 {
		if n == 2 {
			runtime.ReadMemStats(&before)
		}
		for i := range req.Wanted {
			req.Wanted[i] = Wanted{App: &spec.App{ID: "/a", Role: "*", CPUs: 1}, Count: instances / apps}
		}
		got := m.Match(context.Background(), req, func(*spec.App) []Rule { return rules })
		if len(got.Placements) != instances {
			t.Fatalf("placed %d", len(got.Placements))
		}
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / matches
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

package placement_test

import (
	"context"
	"errors"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// staticFault is a fault after which known verdicts hold.
type staticFault struct{ error }

func (staticFault) Static() bool { return true }

// TestStaticFaults wants verdicts that are known to hold while a policy fails, and the
// fault to be told as long as a place is missing: never as if offers had been declined.
func TestStaticFaults(t *testing.T) {
	failing := false
	fault := staticFault{errors.New("trapped")}
	rule := placement.Rule{Constraint: constraint("rack", "ODD"), Prepared: &answerer{
		traits: sdk.PurePerValue,
		answer: func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
			if failing {
				return sdk.ConstraintAnswer{}, fault
			}
			quota := make([]uint32, len(in.Values))
			for i, v := range in.Values {
				if v == "r1" {
					quota[i] = sdk.Unlimited
				}
			}
			return sdk.ConstraintAnswer{Quota: quota}, nil
		},
	}}
	rules := func(*spec.App) []placement.Rule { return []placement.Rule{rule} }
	var m placement.Matcher
	a := app("/a", rule.Constraint)
	match := func(racks, count int) placement.Result {
		req := world(8, racks, 1, 1000)
		req.Wanted = []placement.Wanted{{App: a, Count: count}}
		return m.Match(context.Background(), req, rules)
	}
	if got := match(2, 1); len(got.Placements) != 1 {
		t.Fatalf("%d placements, want 1", len(got.Placements))
	}
	failing = true
	if got := match(2, 1); len(got.Placements) != 1 || got.Refusals[0].Fault != nil {
		t.Errorf("all values known: %d placements, fault %v", len(got.Placements), got.Refusals[0].Fault)
	}
	got := match(4, 3) // r2 and r3 are new; two agents are in r1
	if r := got.Refusals[0]; len(got.Placements) != 2 || !errors.Is(r.Fault, fault) || r.Unused() != 0 || r.Processed != 0 {
		t.Errorf("%d placements, refusals %+v", len(got.Placements), r)
	}
	for _, p := range got.Placements {
		if p.Offer.Agent.Attributes[0].Value != "r1" {
			t.Errorf("placed in %s, which nobody judged", p.Offer.Agent.Attributes[0].Value)
		}
	}
	failing = false
	if got := match(4, 3); len(got.Placements) != 2 || got.Refusals[0].Fault != nil || got.Refusals[0].Unused() != 6 {
		t.Errorf("after it: %d placements, %+v", len(got.Placements), got.Refusals[0])
	}
	failing = true
	req := world(4, 2, 1, 1000)
	why := placement.Explain(context.Background(), clusterOf(req), placement.Wanted{App: a, Count: 1}, []placement.Rule{rule})
	if !errors.Is(why.Fault, fault) || why.Tally[placement.Faulted] != 4 {
		t.Errorf("explained as %+v", why)
	}
}

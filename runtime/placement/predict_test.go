package placement_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// TestPredictAgreesWithMatch wants as many places as a match of all offers
// finds, on agents that exist, and the offers as they were.
func TestPredictAgreesWithMatch(t *testing.T) {
	fixSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		apps := rapid.SliceOfN(rapid.Custom(drawApp), 1, 4).Draw(t, "apps")
		req := drawRequest(t, drawAgents(t, nil), apps, nil)
		req.Seed = 0
		before := copied(req.Offers)
		rules := rulesOf()
		got := placement.Predict(context.Background(), clusterOf(req), req.Wanted, rules)
		if diff := cmp.Diff(before, copied(req.Offers)); diff != "" {
			t.Fatalf("the offers changed: %s", diff)
		}
		m := placement.Matcher{Spread: true}
		result := m.Match(context.Background(), req, rules)
		on := map[*spec.App]map[*placement.Agent]int{}
		for _, p := range result.Placements {
			if on[p.App] == nil {
				on[p.App] = map[*placement.Agent]int{}
			}
			on[p.App][p.Offer.Agent]++
		}
		for i, w := range req.Wanted {
			p := got[i]
			if p.App != w.App || p.Wanted != w.Count || p.Refusals.Declined != result.Refusals[i].Declined {
				t.Fatalf("%+v for %+v, refusals %+v", p, w, result.Refusals[i])
			}
			checkPlaces(t, p, on[w.App])
		}
	})
}

// checkPlaces compares the prediction with the instances by agent.
func checkPlaces(t *rapid.T, p placement.Prediction, on map[*placement.Agent]int) {
	want, got, sum := map[string]int{}, map[string]int{}, 0
	for a, n := range on {
		want[a.ID] += n
		sum += n
	}
	for _, at := range p.On {
		got[at.Agent.ID] += at.Count
	}
	if diff := cmp.Diff(want, got); diff != "" || p.Placed != sum || len(p.On) != len(got) {
		t.Fatalf("%s: placed %d of %d: %s", p.App.ID, p.Placed, sum, diff)
	}
}

// copied are the offers without what they share.
func copied(offers []*placement.Offer) (out []placement.Offer) {
	for _, o := range offers {
		c := *o
		c.Shares = nil
		for _, s := range o.Shares {
			s.Ports = append([]placement.Range(nil), s.Ports...)
			c.Shares = append(c.Shares, s)
		}
		out = append(out, c)
	}
	return out
}

func TestPredict(t *testing.T) {
	req := world(3, 1, 4, 100)
	small, unique, faulty := app("/small"), app("/unique", constraint("hostname", "UNIQUE")), app("/faulty", constraint("rack", "ODD"))
	rules := rulesOf()
	got := placement.Predict(context.Background(), clusterOf(req), []placement.Wanted{
		{App: small, Count: 7}, {App: unique, Count: 5}, {App: faulty, Count: 1}, {App: app("/rest"), Count: 20},
	}, func(a *spec.App) []placement.Rule {
		if a == faulty {
			return []placement.Rule{{Constraint: a.Constraints[0], Err: errors.New("no such operator")}}
		}
		return rules(a)
	})
	placed := map[spec.PathID]int{}
	for _, p := range got {
		placed[p.App.ID] = p.Placed
	}
	want := map[spec.PathID]int{"/small": 5, "/unique": 3, "/faulty": 0, "/rest": 4}
	if diff := cmp.Diff(want, placed); diff != "" {
		t.Error(diff)
	}
	if got[2].Refusals.Fault == nil || got[1].Refusals.Declined[placement.UnfulfilledConstraint] != 0 || len(got[1].On) != 3 {
		t.Errorf("%+v", got)
	}
}

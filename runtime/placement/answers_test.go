package placement_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// babble is a policy that answers anything.
type babble struct {
	t      *rapid.T
	traits sdk.Traits
}

func (b babble) Traits() sdk.Traits { return b.traits }
func (b babble) Close()             {}

func (b babble) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	draw := rapid.SampledFrom([]uint32{0, 1, 2, sdk.Unlimited})
	n := len(in.Values)
	if rapid.IntRange(0, 20).Draw(b.t, "wrong size") == 0 {
		n = rapid.IntRange(0, 40).Draw(b.t, "size")
	}
	return sdk.ConstraintAnswer{
		Quota: rapid.SliceOfN(draw, n, n).Draw(b.t, "quota"),
		Flags: sdk.AnswerFlags(rapid.IntRange(0, 8).Draw(b.t, "flags")),
	}, nil
}

// TestAnyAnswer wants nothing to break, whatever policies answer: no more is
// placed than was wanted and than the offers hold, and counts add up.
func TestAnyAnswer(t *testing.T) {
	fixSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		var m placement.Matcher
		rules := map[*spec.App][]placement.Rule{}
		apps := []*spec.App{app("/a"), app("/b")}
		for _, a := range apps {
			for range rapid.IntRange(0, 3).Draw(t, "rules") {
				field := rapid.SampledFrom([]string{"hostname", "rack", "@zone", "none"}).Draw(t, "field")
				rules[a] = append(rules[a], placement.Rule{
					Constraint: constraint(field, "ANY"),
					Prepared:   babble{t, sdk.Traits(rapid.IntRange(0, 3).Draw(t, "traits"))},
				})
			}
		}
		for range 3 {
			req := world(rapid.IntRange(0, 12).Draw(t, "agents"), 4, 2, 100)
			if rapid.Bool().Draw(t, "strays") {
				req.Agents = req.Agents[:len(req.Agents)/2]
			}
			for _, a := range apps {
				req.Wanted = append(req.Wanted, placement.Wanted{App: a, Count: 6, Placed: req.Agents})
			}
			checkTotals(t, req, m.Match(context.Background(), req, func(a *spec.App) []placement.Rule { return rules[a] }))
		}
	})
}

func checkTotals(t *rapid.T, req placement.Request, got placement.Result) {
	on, of, hosts := map[*placement.Offer]int{}, map[*spec.App]int{}, map[*spec.App]map[*placement.Offer]bool{}
	for _, p := range got.Placements {
		if hosts[p.App] == nil {
			hosts[p.App] = map[*placement.Offer]bool{}
		}
		hosts[p.App][p.Offer] = true
		if on[p.Offer]++; on[p.Offer] > 2 {
			t.Fatalf("%s holds 2, got %d", p.Offer.ID, on[p.Offer])
		}
		if of[p.App]++; of[p.App] > 6 {
			t.Fatalf("%s wants 6, got %d", p.App.ID, of[p.App])
		}
	}
	for i, w := range req.Wanted {
		r := got.Refusals[i]
		declined := 0
		for _, n := range r.Declined {
			if n < 0 {
				t.Fatalf("%s: %+v", w.App.ID, r)
			}
			declined += n
		}
		if r.Fault == nil && of[w.App] < w.Count && (r.Processed != len(req.Offers) || declined > r.Processed-len(hosts[w.App])) {
			t.Fatalf("%s: %+v of %d offers, %d used", w.App.ID, r, len(req.Offers), len(hosts[w.App]))
		}
	}
}

// TestStrays wants constraints to hold also for offers of agents that
// Request.Agents leaves out.
func TestStrays(t *testing.T) {
	fixSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		req := world(rapid.IntRange(1, 80).Draw(t, "agents"), 7, 4, 100)
		req.Seed = rapid.Uint64().Draw(t, "seed")
		req.Agents = req.Agents[:rapid.IntRange(0, len(req.Agents)).Draw(t, "known")]
		list := []spec.Constraint{constraint("rack", "MAX_PER", "3"), constraint("hostname", "UNIQUE"), constraint("@zone", "LIKE", "z[01]")}
		a := app("/a", rapid.SliceOfNDistinct(rapid.SampledFrom(list), 1, 3, func(c spec.Constraint) string {
			return c.Operator
		}).Draw(t, "constraints")...)
		req.Wanted = []placement.Wanted{{App: a, Count: 200}}
		var m placement.Matcher
		rules := rulesOf()
		got := m.Match(context.Background(), req, rules)
		req.Agents = nil
		for _, o := range req.Offers {
			req.Agents = append(req.Agents, o.Agent)
		}
		newReference(req, placement.Terms{}, 0).check(t, got)
	})
}

func FuzzReservationLabels(f *testing.F) {
	f.Add(`"a"="b","c"`)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, text string) {
		labels, err := placement.ParseLabels(text)
		if err != nil {
			return
		}
		canonical := placement.CanonicalLabels(labels)
		again, err := placement.ParseLabels(canonical)
		if err != nil || placement.CanonicalLabels(again) != canonical || len(again) != len(labels) {
			t.Errorf("%q is read as %q, then %v", text, canonical, err)
		}
	})
}

// All built-in operators answer through placement in TestAgainstReference; this
// keeps the list there complete.
func TestAllOperatorsAreDrawn(t *testing.T) {
	drawn := map[string]bool{}
	for _, c := range drawnConstraints() {
		drawn[c.Operator] = true
	}
	for _, b := range constraints.All() {
		for _, operator := range b.Operators() {
			if !drawn[operator] {
				t.Errorf("%s is not", operator)
			}
		}
	}
}

package placement_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// hermit is a policy that shares no memory with the matcher.
type hermit struct{ sdk.PreparedConstraint }

func (h hermit) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	in.Room, in.Placed = nil, slices.Clone(in.Placed)
	answer, err := h.PreparedConstraint.Evaluate(ctx, in)
	answer.Quota = slices.Clone(answer.Quota)
	return answer, err
}

// TestLentRoom wants what the matcher lends to be nobody else's meanwhile: many
// rules that count, answering in its room, place as they do without it.
func TestLentRoom(t *testing.T) {
	fixSeed(t)
	counting := []spec.Constraint{
		constraint("hostname", "UNIQUE"), constraint("rack", "UNIQUE"), constraint("hostname", "MAX_PER", "2"),
		constraint("rack", "MAX_PER", "3"), constraint("rack", "GROUP_BY"), constraint("hostname", "GROUP_BY"),
		constraint("@zone", "GROUP_BY", "3"), constraint("rack", "CLUSTER"),
	}
	rapid.Check(t, func(t *rapid.T) {
		var lending, apart placement.Matcher
		rules := rulesOf()
		var apps []*spec.App
		for range rapid.IntRange(1, 6).Draw(t, "apps") {
			apps = append(apps, app("/a", rapid.SliceOfN(rapid.SampledFrom(counting), 1, 3).Draw(t, "constraints")...))
		}
		placed := map[*spec.App][]*placement.Agent{}
		for range 3 {
			req := world(rapid.IntRange(4, 16).Draw(t, "agents"), 5, 8, 1000)
			for _, a := range apps {
				count := rapid.IntRange(0, 8).Draw(t, "wanted")
				req.Wanted = append(req.Wanted, placement.Wanted{App: a, Count: count, Placed: placed[a]})
			}
			got := lending.Match(context.Background(), req, rules)
			want := apart.Match(context.Background(), req, func(a *spec.App) (list []placement.Rule) {
				for _, r := range rules(a) {
					list = append(list, placement.Rule{Constraint: r.Constraint, Prepared: hermit{r.Prepared}})
				}
				return list
			})
			if diff := cmp.Diff(brief(want), brief(got)); diff != "" {
				t.Fatal(diff)
			}
			for _, p := range got.Placements {
				placed[p.App] = append(placed[p.App], p.Offer.Agent)
			}
		}
	})
}

package placement_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// question is what is explained, and what a match needs to check it.
type question struct {
	cluster placement.Cluster
	wanted  placement.Wanted
	rules   []placement.Rule
}

func (q question) explain() placement.Explanation {
	return placement.Explain(context.Background(), q.cluster, q.wanted, q.rules)
}

// match places one instance on some of the offers.
func (q question) match(offers []*placement.Offer) placement.Result {
	q.wanted.Count = 1
	m := placement.Matcher{MaxPerOffer: 1, Terms: q.cluster.Terms}
	return m.Match(context.Background(), placement.Request{
		Now: q.cluster.Now, Wanted: []placement.Wanted{q.wanted}, Offers: offers, Agents: q.cluster.Agents,
		HomeRegion: q.cluster.HomeRegion,
	}, func(*spec.App) []placement.Rule { return q.rules })
}

// fitting are the ids of the agents on which a match places an instance when
// nothing else is offered.
func (q question) fitting() map[string]bool {
	by, fit := map[string][]*placement.Offer{}, map[string]bool{}
	for _, o := range q.cluster.Offers {
		by[o.Agent.ID] = append(by[o.Agent.ID], o)
	}
	for id, offers := range by {
		if len(q.match(offers).Placements) > 0 {
			fit[id] = true
		}
	}
	return fit
}

// TestExplainAgreesWithMatch wants agents to fit if and only if a match places
// an instance there, and refusals to come first from the rule that a match
// counts them under.
func TestExplainAgreesWithMatch(t *testing.T) {
	seen := map[placement.Verdict]int{}
	questions(t, func(t *rapid.T, q question) {
		got := q.explain()
		fit, offered := map[string]bool{}, 0
		declined := [placement.Reasons]int{}
		for _, a := range got.Agents {
			seen[a.Verdict]++
			checkVerdict(t, a)
			if a.Verdict == placement.Fits {
				fit[a.Agent.ID] = true
			}
			for _, o := range append([]placement.OfferExplanation{a.OfferExplanation}, a.Others...) {
				if o.Offer != nil {
					offered++
					countFirst(o, &declined)
				}
			}
		}
		if diff := cmp.Diff(q.fitting(), fit); diff != "" {
			t.Fatalf("fitting agents (-match +explanation): %s", diff)
		}
		result := q.match(q.cluster.Offers)
		if placed := len(result.Placements) == 1; placed != (got.Tally[placement.Fits] > 0) || offered != len(q.cluster.Offers) {
			t.Fatalf("placed = %v; explained %d of %d offers, %v", placed, offered, len(q.cluster.Offers), got.Tally)
		}
		if refusals := result.Refusals[0]; len(fit) == 0 && refusals.Fault == nil && got.Fault == nil && refusals.Declined != declined {
			t.Fatalf("declined by the match %v, explained %v", refusals.Declined, declined)
		}
	})
	for v := range placement.Verdicts {
		if v != placement.NotEvaluated && seen[v] < 20 {
			t.Errorf("%v: only %d agents", v, seen[v])
		}
	}
}

// TestExplainSomeCountsAll wants the agents that nobody asked for to count like the
// others, and the counts of denials to be those of the findings.
func TestExplainSomeCountsAll(t *testing.T) {
	questions(t, func(t *rapid.T, q question) {
		all := q.explain()
		some := placement.ExplainSome(context.Background(), q.cluster, q.wanted, q.rules, func(a *placement.Agent) bool { return a.ID > "S1" })
		kept := slices.DeleteFunc(slices.Clone(all.Agents), func(a placement.AgentExplanation) bool { return a.Agent.ID <= "S1" })
		if !slices.EqualFunc(some.Agents, kept, func(x, y placement.AgentExplanation) bool { return cmp.Equal(x, y) }) {
			t.Fatalf("explained %v, expected %v", some.Agents, kept)
		}
		if some.Tally != all.Tally || !cmp.Equal(some.NearMisses, all.NearMisses) || !slices.Equal(some.Denied, all.Denied) {
			t.Fatalf("counted %v %v %v, of all %v %v %v", some.Tally, some.Denied, some.NearMisses, all.Tally, all.Denied, all.NearMisses)
		}
		denied, agents := make([]int, len(q.rules)), 0
		for _, a := range all.Agents {
			any := false
			for _, f := range a.Findings {
				if a.Offer != nil && f.Rule == placement.RuleConstraint && f.Verdict == placement.Refused {
					denied[f.Constraint]++
					any = true
				}
			}
			if any {
				agents++
			}
		}
		counted := make([]int, len(q.rules))
		for _, d := range all.Denied {
			counted[d.Constraint] = d.Agents
		}
		if !slices.Equal(denied, counted) || agents != all.DeniedAgents {
			t.Fatalf("denied %v on %d agents, by the findings %v on %d", all.Denied, all.DeniedAgents, denied, agents)
		}
	})
}

// countFirst counts an offer under the first rule that refuses it.
func countFirst(o placement.OfferExplanation, declined *[placement.Reasons]int) {
	for _, f := range o.Findings {
		if f.Verdict != placement.Fits {
			declined[f.Rule.Reason()]++
			return
		}
	}
}

// checkVerdict wants an agent's verdict to be what its findings come to.
func checkVerdict(t *rapid.T, a placement.AgentExplanation) {
	count := func(o placement.OfferExplanation) (n [placement.Verdicts]int) {
		for _, f := range o.Findings {
			n[f.Verdict]++
			if f.Name == "" || f.Asked == "" || (f.Reason != "") != (f.Verdict == placement.Refused || f.Verdict == placement.Faulted) ||
				(f.Had == "") != (f.Verdict == placement.NotEvaluated) {
				t.Fatalf("%s: incomplete: %+v", a.Agent.ID, f)
			}
		}
		return n
	}
	n := count(a.OfferExplanation)
	want := placement.Fits
	switch {
	case a.Offer == nil:
		want = placement.NoOffer
	case n[placement.Refused] > 0:
		want = placement.Refused
	case n[placement.Faulted] > 0:
		want = placement.Faulted
	}
	if a.Verdict != want || (n[placement.NotEvaluated] > 0) != (a.Offer == nil) {
		t.Fatalf("%s: %v with %v", a.Agent.ID, a.Verdict, n)
	}
	for _, o := range a.Others {
		if c := count(o); c[placement.Refused]+c[placement.Faulted] < n[placement.Refused]+n[placement.Faulted] {
			t.Fatalf("%s: the first offer is not the closest", a.Agent.ID)
		}
	}
}

// TestNearMisses makes the change of each near miss and wants a match to gain
// exactly its agents.
func TestNearMisses(t *testing.T) {
	seen := map[placement.RelaxationKind]int{}
	questions(t, func(t *rapid.T, q question) {
		before := q.fitting()
		got := q.explain().NearMisses
		last := len(q.cluster.Agents)
		for _, miss := range got {
			seen[miss.Kind]++
			gained := relaxed(q, miss.Relaxation).fitting()
			maps.DeleteFunc(gained, func(id string, _ bool) bool { return before[id] })
			named := map[string]bool{}
			for _, a := range miss.Agents {
				named[a.ID] = true
			}
			if diff := cmp.Diff(gained, named); diff != "" || len(miss.Agents) != len(named) {
				t.Fatalf("%s (-match +explanation): %s", miss.Text, diff)
			}
			if n := len(miss.Agents); n == 0 || n > last || len(got) > placement.MostNearMisses {
				t.Fatalf("%s: out of order, or too many", miss.Text)
			}
			last = len(miss.Agents)
		}
	})
	for kind := placement.LessCPUs; kind <= placement.ScarceGPUs; kind++ {
		if seen[kind] == 0 {
			t.Errorf("no change of kind %d came up", kind)
		}
	}
}

// relaxed makes the change.
func relaxed(q question, r placement.Relaxation) question {
	app := *q.wanted.App
	app.PortDefinitions = slices.Clone(app.PortDefinitions)
	q.wanted.App, q.cluster.Offers = &app, slices.Clone(q.cluster.Offers)
	switch r.Kind {
	case placement.LessCPUs:
		app.CPUs = r.AtMost
	case placement.LessMem:
		app.Mem = r.AtMost
	case placement.LessDisk:
		app.Disk = r.AtMost
	case placement.FewerGPUs:
		app.GPUs = int(r.AtMost)
	case placement.WithoutGPUs:
		app.GPUs = 0
	case placement.FewerPorts:
		for len(app.PortDefinitions) > int(r.AtMost) {
			i := slices.IndexFunc(app.PortDefinitions, func(d spec.PortDefinition) bool { return d.Port == 0 || !app.RequirePorts })
			app.PortDefinitions = slices.Delete(app.PortDefinitions, i, i+1)
		}
	case placement.OtherPort:
		i := slices.IndexFunc(app.PortDefinitions, func(d spec.PortDefinition) bool { return d.Port == int(r.Port) })
		app.PortDefinitions[i].Port = 0
	case placement.AnyPorts:
		app.RequirePorts = false
	case placement.WithoutConstraint:
		app.Constraints = slices.Delete(slices.Clone(app.Constraints), r.Constraint, r.Constraint+1)
		q.rules = slices.Delete(slices.Clone(q.rules), r.Constraint, r.Constraint+1)
	case placement.OtherRole:
		old := app.Role
		app.AcceptedResourceRoles = slices.Clone(app.AcceptedResourceRoles)
		if i := slices.Index(app.AcceptedResourceRoles, old); i >= 0 && old != "*" {
			app.AcceptedResourceRoles[i] = r.Role
		}
		app.Role = r.Role
	case placement.ResourcesOfRole:
		app.AcceptedResourceRoles = []string{app.Role, "*"}
	case placement.OutsideRegion:
		app.Constraints = append(slices.Clone(app.Constraints), constraint("@region", "ANY"))
	case placement.AfterMaintenance:
		for i, o := range q.cluster.Offers {
			after := *o
			after.Unavailable, q.cluster.Offers[i] = nil, &after
		}
	case placement.ScarceGPUs:
		app.Labels = map[string]string{"GPU_SCHEDULING_BEHAVIOR": "unrestricted"}
	}
	return q
}

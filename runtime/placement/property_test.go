package placement_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// TestAgainstReference runs matches in a row with one Matcher, over agents that
// come and go, and checks each with rules written down as plainly as can be.
func TestAgainstReference(t *testing.T) {
	fixSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		m := placement.Matcher{
			MaxPerOffer: rapid.IntRange(0, 3).Draw(t, "max per offer"), Spread: rapid.Bool().Draw(t, "spread"),
		}
		rules := rulesOf()
		apps := rapid.SliceOfN(rapid.Custom(drawApp), 1, 5).Draw(t, "apps")
		placed := map[*spec.App][]*placement.Agent{}
		var agents []*placement.Agent
		for range rapid.IntRange(1, 4).Draw(t, "matches") {
			agents = drawAgents(t, agents)
			req := drawRequest(t, agents, apps, placed)
			ref := newReference(req, m.MaxPerOffer)
			got := m.Match(context.Background(), req, rules)
			ref.check(t, got)
			fresh := placement.Matcher{MaxPerOffer: m.MaxPerOffer, Spread: m.Spread}
			if diff := cmp.Diff(brief(fresh.Match(context.Background(), req, rules)), brief(got)); diff != "" {
				t.Fatalf("what is remembered changes the answer: %s", diff)
			}
			placed = ref.placed
			for a, on := range placed { // some instances end
				placed[a] = on[:rapid.IntRange(0, len(on)).Draw(t, "stay")]
			}
		}
	})
}

// fixSeed makes rapid draw the same in every run, unless a seed was given.
func fixSeed(t *testing.T) {
	for name, value := range map[string]string{"rapid.seed": "1", "rapid.nofailfile": "true"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// brief is what a result comes down to.
func brief(r placement.Result) (lines []string) {
	for _, p := range r.Placements {
		lines = append(lines, fmt.Sprint(p.App.ID, " on ", p.Offer.ID, p.Ports, p.Take))
	}
	return lines
}

func drawApp(t *rapid.T) *spec.App {
	a := app("/" + rapid.StringMatching("[a-z]{8}").Draw(t, "id"))
	a.Role = rapid.SampledFrom([]string{"*", "dev"}).Draw(t, "role")
	a.CPUs = float64(rapid.IntRange(0, 3).Draw(t, "cpus"))
	a.Mem = float64(rapid.IntRange(0, 3).Draw(t, "mem") * 10)
	if rapid.Bool().Draw(t, "accepts unreserved only") {
		a.AcceptedResourceRoles = []string{"*"}
	}
	a.PortDefinitions = make([]spec.PortDefinition, rapid.IntRange(0, 3).Draw(t, "ports"))
	if rapid.Bool().Draw(t, "require ports") {
		a.RequirePorts = true
		for i := range a.PortDefinitions {
			a.PortDefinitions[i].Port = 10 + i
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "mapped") == 0 {
		m := mapped(spec.ContainerNetwork, rapid.SliceOfN(rapid.SampledFrom([]int{-1, 0, 10, 11, 20}), 0, 4).Draw(t, "host ports")...)
		a.Networks, a.Container = m.Networks, m.Container
	}
	if rapid.IntRange(0, 4).Draw(t, "own executor") == 0 {
		a.Executor, a.ExecutorResources = "/run", &spec.ExecutorResources{CPUs: 0.5, Mem: 5}
	}
	for range rapid.IntRange(0, 3).Draw(t, "constraints") {
		a.Constraints = append(a.Constraints, rapid.SampledFrom(drawnConstraints()).Draw(t, "constraint"))
	}
	return a
}

func drawnConstraints() []spec.Constraint {
	return []spec.Constraint{
		constraint("rack", "LIKE", "r[01]"), constraint("rack", "UNLIKE", "r0"), constraint("rack", "IS", "r1"),
		constraint("hostname", "UNIQUE"), constraint("rack", "UNIQUE"), constraint("rack", "MAX_PER", "2"),
		constraint("@hostname", "MAX_PER", "3"), constraint("rack", "CLUSTER"), constraint("rack", "GROUP_BY"),
		constraint("@zone", "GROUP_BY", "3"), constraint("hostname", "GROUP_BY"), constraint("rack", "GROUP_BY_VOLATILE"),
		constraint("rack", "CLUSTER", "r1"), constraint("hostname", "LIKE", "host-1.*"), constraint("none", "UNLIKE", "x"),
	}
}

// drawAgents lets some agents go, some change and some come.
func drawAgents(t *rapid.T, before []*placement.Agent) []*placement.Agent {
	var now []*placement.Agent
	for _, a := range before {
		if rapid.IntRange(0, 3).Draw(t, "leaves") > 0 {
			now = append(now, a)
		}
	}
	for range rapid.IntRange(0, 6).Draw(t, "new agents") {
		n := rapid.IntRange(0, 30).Draw(t, "agent")
		a := agent(n, rapid.IntRange(1, 4).Draw(t, "racks"))
		if rapid.IntRange(0, 5).Draw(t, "no rack") == 0 {
			a.Attributes = nil
		}
		now = append(now, a)
	}
	if rapid.Bool().Draw(t, "reversed") {
		slices.Reverse(now)
	}
	return now
}

func drawRequest(t *rapid.T, agents []*placement.Agent, apps []*spec.App, placed map[*spec.App][]*placement.Agent) placement.Request {
	req := placement.Request{Agents: agents, Seed: rapid.Uint64().Draw(t, "seed"), Now: 1000, HomeRegion: "home"}
	for _, a := range agents {
		for i := range rapid.IntRange(0, 2).Draw(t, "offers") {
			req.Offers = append(req.Offers, drawOffer(t, a, i))
		}
	}
	for _, a := range apps {
		if count := rapid.IntRange(-1, 6).Draw(t, "wanted"); count >= 0 {
			req.Wanted = append(req.Wanted, placement.Wanted{App: a, Count: count, Placed: placed[a]})
		}
	}
	return req
}

func drawOffer(t *rapid.T, a *placement.Agent, i int) *placement.Offer {
	o := &placement.Offer{ID: fmt.Sprintf("%s-%p-%d", a.ID, a, i), Agent: a}
	o.Role = rapid.SampledFrom([]string{"*", "dev"}).Draw(t, "offered to")
	if rapid.IntRange(0, 9).Draw(t, "maintenance") == 0 {
		o.Unavailable = &placement.Window{Begin: 1}
	}
	for range rapid.IntRange(0, 3).Draw(t, "shares") {
		s := share(rapid.SampledFrom([]string{"", "*", "dev", "prod"}).Draw(t, "share"), 0, 0)
		s.Scalars[placement.CPUs] = placement.Milli(rapid.IntRange(0, 5).Draw(t, "cpus") * 1000)
		s.Scalars[placement.Mem] = placement.Milli(rapid.IntRange(0, 8).Draw(t, "mem") * 10000)
		s.Scalars[placement.GPUs] = placement.Milli(rapid.IntRange(0, 10).Draw(t, "gpus") / 10 * 1000)
		begin := uint16(rapid.IntRange(8, 12).Draw(t, "begin"))
		if i == 0 && rapid.Bool().Draw(t, "has ports") && len(o.Shares) == 0 {
			s.Ports = []placement.Range{{Begin: begin, End: begin + 2}, {Begin: begin + 10, End: begin + 11}}
		}
		o.Shares = append(o.Shares, s)
	}
	return o
}

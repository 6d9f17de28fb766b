package placement_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// findingTests change one thing of an offer that fits, as reasonTests do, and
// say what the first rule to refuse has to tell about it.
var findingTests = map[string]struct {
	change change
	want   string // name: asked / had / reason
}{
	"fits": {func(*placement.Request, *spec.App, *placement.Offer) {}, ""},
	"another role": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Role = "dev"
	}, "role: *, resources of * / dev, resources of * / the offer is made to the role dev"},
	"nothing of its roles": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		o.Role, a.Role, a.AcceptedResourceRoles = "dev", "dev", []string{"dev"}
		s := share("dev", 1, 10)
		s.Reservation.Labels = `"marathon_task_id"="x"`
		o.Shares = append(o.Shares, s)
	}, "role: dev, resources of dev / dev, resources of * and one instance / nothing is offered of dev"},
	"another region": {func(r *placement.Request, _ *spec.App, o *placement.Offer) {
		r.HomeRegion, o.Agent.Region = "home", "away"
	}, "region: home / away / the agent is not in the home region"},
	"constraint": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.Constraints = []spec.Constraint{constraint("rack", "LIKE", "r[1-9]")}
	}, "rack:LIKE:r[1-9]: LIKE:r[1-9] / r0 / does not match \"r[1-9]\""},
	"a field that is missing": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.Constraints = []spec.Constraint{constraint("rack", "LIKE", "r.*"), constraint("none", "UNIQUE")}
	}, "none:UNIQUE: UNIQUE / none / the agent has no none"},
	"maintenance": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Unavailable = &placement.Window{Begin: 999}
	}, "maintenance: none now / from 1970-01-01T00:00:00.999Z on / the agent is in maintenance"},
	"maintenance with an end": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Unavailable = &placement.Window{Begin: 999, End: 1000}
	}, "maintenance: none now / 1970-01-01T00:00:00.999Z to 1970-01-01T00:00:01.000Z / the agent is in maintenance"},
	"cpus": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.CPUs = 2.001
	}, "cpus: 2.001 / 2 / needs 2.001 cpus, 2 offered"},
	"mem of another reservation": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		a.Mem = 512
		o.Shares = append(o.Shares, share("dev", 1, 500.5))
	}, "mem: 512 / 100 / needs 512 mem, 100 offered; 500.5 more of reservations it does not take"},
	"disk": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.Disk = 10001
	}, "disk: 10001 / 10000 / needs 10001 disk, 10000 offered"},
	"gpus": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.GPUs = 1
	}, "gpus: 1 / 0 / needs 1 gpus, 0 offered"},
	"scarce": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Shares[0].Scalars[placement.GPUs] = 1000
	}, "scarce gpus: none / 1 / the offer's gpus are kept for apps that want some"},
	"too many ports": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.PortDefinitions = make([]spec.PortDefinition, 101)
	}, "ports: 101 / 31000-31099 / needs 101 ports, 100 offered"},
	"required ports": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		a.RequirePorts, a.PortDefinitions = true, ports(31000, 80, 0, 81)
		o.Shares[0].Ports = append([]placement.Range{{Begin: 5, End: 5}}, o.Shares[0].Ports...)
	}, "ports: 31000, 80, 81 and 1 any / 5, 31000-31099 / not offered: 80, 81"},
	"ports of a container": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		*a = *mapped(spec.BridgeNetwork, 53, -1, 0, 53, 0)
	}, "ports: 53 and 2 any / 31000-31099 / not offered: 53"},
	"a mapping that cannot be": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		*a = *mapped(spec.BridgeNetwork, 0, 70000)
	}, "ports: 70000 and 1 any / 31000-31099 / 70000 is no port number"},
	"many required ports": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		a.RequirePorts, a.PortDefinitions = true, ports(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
		o.Shares[0].Ports = nil
		for i := range uint16(10) {
			o.Shares[0].Ports = append(o.Shares[0].Ports, span(10*i+100, 10*i+100))
		}
	}, "ports: 1, 2, 3, 4, 5, 6, 7, 8, 2 more / 100, 110, 120, 130, 140, 150, 160, 170, 2 more ranges / not offered: 1, 2, 3, 4, 5, 6, 7, 8, 2 more"},
	"a port twice": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.RequirePorts, a.PortDefinitions = true, ports(31000, 31000)
	}, "ports: 31000, 31000 / 31000-31099 / the port 31000 is required twice"},
	"a port that cannot be": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.RequirePorts, a.PortDefinitions = true, ports(70000)
	}, "ports: 70000 / 31000-31099 / 70000 is no port number"},
}

func TestFindings(t *testing.T) {
	for name, test := range findingTests {
		t.Run(name, func(t *testing.T) {
			req, a := world(1, 1, 2, 100), app("/a")
			req.Now = 1000
			test.change(&req, a, req.Offers[0])
			got := question{clusterOf(req), placement.Wanted{App: a, Count: 1}, rulesOf()(a)}.explain()
			first := ""
			for _, f := range got.Agents[0].Findings {
				if f.Verdict != placement.Fits {
					first = fmt.Sprintf("%s: %s / %s / %s", f.Name, f.Asked, f.Had, f.Reason)
					break
				}
			}
			if first != test.want {
				t.Errorf("got  %s\nwant %s", first, test.want)
			}
		})
	}
}

func clusterOf(req placement.Request) placement.Cluster {
	return placement.Cluster{Now: req.Now, Offers: req.Offers, Agents: req.Agents, HomeRegion: req.HomeRegion}
}

// TestAllRulesAreEvaluated wants each rule's own word, whatever the others say,
// and a policy's fault apart from refusals.
func TestAllRulesAreEvaluated(t *testing.T) {
	a := app("/a", constraint("rack", "IS", "r1"), constraint("rack", "ODD"), constraint("hostname", "UNIQUE"))
	a.CPUs, a.GPUs, a.PortDefinitions = 9, 1, make([]spec.PortDefinition, 101)
	req := world(2, 2, 2, 100)
	req.Offers[1].Unavailable = &placement.Window{Begin: 1}
	req.Now, req.Offers[0].Role = 1000, "dev"
	rules := []placement.Rule{
		{Constraint: a.Constraints[0], Prepared: prepare(a.Constraints[0])},
		{Constraint: a.Constraints[1], Prepared: broken()},
		{Constraint: a.Constraints[2], Prepared: prepare(a.Constraints[2])},
	}
	w := placement.Wanted{App: a, Count: 3, Placed: req.Agents[:1]}
	got := question{clusterOf(req), w, rules}.explain()
	want := []string{
		"role refused, region fits, rack:IS:r1 refused, rack:ODD fault, hostname:UNIQUE refused, maintenance fits, " +
			"cpus refused, mem fits, disk fits, gpus refused, ports refused",
		"role fits, region fits, rack:IS:r1 fits, rack:ODD fault, hostname:UNIQUE fits, maintenance refused, " +
			"cpus refused, mem fits, disk fits, gpus refused, ports refused",
	}
	for i, agent := range got.Agents {
		if diff := cmp.Diff(want[i], verdicts(agent)); diff != "" {
			t.Errorf("%s: %s", agent.Agent.ID, diff)
		}
	}
	if got.Fault == nil || got.Waiting != 3 || got.Tally[placement.Refused] != 2 || len(got.NearMisses) != 0 {
		t.Errorf("fault %v, %d waiting, tally %v, near misses %v", got.Fault, got.Waiting, got.Tally, got.NearMisses)
	}
}

func verdicts(a placement.AgentExplanation) string {
	var all []string
	for _, f := range a.Findings {
		all = append(all, f.Name+" "+f.Verdict.String())
	}
	return strings.Join(all, ", ")
}

// TestAgentsWithoutOffer wants them told apart, with what their own facts say.
func TestAgentsWithoutOffer(t *testing.T) {
	req, a := world(3, 3, 2, 100), app("/a", constraint("rack", "IS", "r1"))
	req.HomeRegion, req.Agents[1].Region, req.Offers = "home", "away", req.Offers[2:]
	req.Agents = req.Agents[:2] // the third is known by its offer alone
	got := question{clusterOf(req), placement.Wanted{App: a, Count: 1}, rulesOf()(a)}.explain()
	lines := []string{}
	for _, agent := range got.Agents {
		lines = append(lines, fmt.Sprint(agent.Agent.ID, " ", agent.Verdict, ": ", verdicts(agent)))
	}
	const open = ", maintenance not evaluated, cpus not evaluated, mem not evaluated, disk not evaluated, " +
		"gpus not evaluated, scarce gpus not evaluated, ports not evaluated"
	want := []string{
		"S0 no offer: role not evaluated, region fits, rack:IS:r1 refused" + open,
		"S1 no offer: role not evaluated, region refused, rack:IS:r1 fits" + open,
		"S2 refused: role fits, region fits, rack:IS:r1 refused" + strings.ReplaceAll(open, "not evaluated", "fits"),
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got := (question{}); len(placement.Explain(context.Background(), got.cluster, placement.Wanted{App: a}, nil).Agents) != 0 {
		t.Error("there are agents in an empty cluster")
	}
}

// TestExplainAsksOnce wants the work to grow with the offers and no more: a
// policy is asked once, and allocations per agent stay the same.
func TestExplainAsksOnce(t *testing.T) {
	allocations := func(agents int) float64 {
		req, a := world(agents, 40, 2, 100), app("/a", constraint("rack", "ODD"))
		a.CPUs = 3
		policy := &answerer{traits: sdk.Stateful, answer: func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
			return sdk.ConstraintAnswer{Quota: make([]uint32, len(in.Values)), Reason: "odd"}, nil
		}}
		q := question{clusterOf(req), placement.Wanted{App: a, Count: 5, Placed: req.Agents}, []placement.Rule{{Constraint: a.Constraints[0], Prepared: policy}}}
		n := testing.AllocsPerRun(1, func() { q.explain() })
		if policy.asked != 2 { // AllocsPerRun warms up
			t.Errorf("%d agents: asked %d times in 2 runs", agents, policy.asked)
		}
		return n
	}
	if few, many := allocations(500), allocations(4000); many > 9*few {
		t.Errorf("8 times as many agents made %.0f allocations of %.0f", many, few)
	}
}

package placement_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// nearMissTests change the offers of four agents, which all fit, and the app.
var nearMissTests = map[string]struct {
	change func(*placement.Cluster, *placement.Wanted)
	want   []string
}{
	"nothing is near when all fit": {func(*placement.Cluster, *placement.Wanted) {}, nil},
	"the largest amount, and the one that is enough": {func(c *placement.Cluster, w *placement.Wanted) {
		w.App.Mem, w.Count = 1024, 3
		c.Offers[0].Shares[0].Scalars[placement.Mem] = placement.MilliOf(512)
		c.Offers[1].Shares[0].Scalars[placement.Mem] = placement.MilliOf(512)
		c.Offers[2].Shares[0].Scalars[placement.Mem] = placement.MilliOf(0)
	}, []string{"3 agents fit if mem <= 100", "2 agents fit if mem <= 512"}},
	"all of one constraint": {func(_ *placement.Cluster, w *placement.Wanted) {
		w.App.Constraints = []spec.Constraint{constraint("rack", "UNIQUE"), constraint("rack", "LIKE", "r.*")}
	}, []string{"4 agents fit without rack:UNIQUE"}},
	"roles": {func(c *placement.Cluster, w *placement.Wanted) {
		for i, o := range c.Offers {
			o.Role, o.Shares[0].Reservation.Role = "prod", "prod"
			if i == 3 {
				o.Role, o.Shares[0].Reservation.Role = "dev", "dev"
			}
		}
		w.App.Role, w.App.AcceptedResourceRoles = "dev", []string{"*"}
	}, []string{"1 agent fits if it accepts the resources of dev and *"}},
	"role of the reservation": {func(c *placement.Cluster, _ *placement.Wanted) {
		for _, o := range c.Offers[:3] {
			o.Role, o.Shares[0].Reservation.Role = "prod", "prod"
		}
	}, []string{"3 agents fit with the role prod"}},
	"one of each": {func(c *placement.Cluster, w *placement.Wanted) {
		w.App.RequirePorts, w.App.PortDefinitions = true, ports(31000)
		c.Offers[0].Unavailable = &placement.Window{Begin: 1}
		c.Offers[1].Shares[0].Scalars[placement.GPUs] = 1000
		c.Offers[2].Shares[0].Ports = []placement.Range{{Begin: 1, End: 9}}
		c.Offers[3].Agent.Region = "away"
	}, []string{
		"1 agent fits with another port than 31000", "1 agent fits without requirePorts",
		"1 agent fits outside the home region", "1 agent fits after their maintenance",
		"1 agent fits with the label GPU_SCHEDULING_BEHAVIOR=unrestricted",
	}},
	"ports of a container": {func(c *placement.Cluster, w *placement.Wanted) {
		m := mapped(spec.BridgeNetwork, 31000, -1, 0)
		w.App.Networks, w.App.Container = m.Networks, m.Container
		for _, o := range c.Offers {
			o.Shares[0].Ports = []placement.Range{{Begin: 1, End: 9}}
		}
	}, []string{"4 agents fit with another port than 31000", "4 agents fit with 0 for each hostPort"}},
	"gpus and ports": {func(c *placement.Cluster, w *placement.Wanted) {
		w.App.GPUs, w.App.PortDefinitions = 2, make([]spec.PortDefinition, 10)
		for _, o := range c.Offers {
			o.Shares[0].Scalars[placement.GPUs] = 2000
		}
		c.Offers[0].Shares[0].Scalars[placement.GPUs] = 1000
		c.Offers[1].Shares[0].Scalars[placement.GPUs] = 0
		c.Offers[2].Shares[0].Ports = []placement.Range{{Begin: 1, End: 9}}
	}, []string{"1 agent fits if gpus <= 1", "1 agent fits if ports <= 9", "1 agent fits without gpus"}},
}

func TestNearMissTexts(t *testing.T) {
	for name, test := range nearMissTests {
		t.Run(name, func(t *testing.T) {
			a := app("/a")
			req := world(4, 2, 2, 100)
			req.Now, req.HomeRegion = 1000, "home"
			q := question{cluster: clusterOf(req), wanted: placement.Wanted{App: a, Count: 1, Placed: req.Agents}}
			test.change(&q.cluster, &q.wanted)
			q.rules = rulesOf()(a)
			var got []string
			for _, miss := range q.explain().NearMisses {
				got = append(got, miss.Text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMostNearMisses wants no more than may be, and those that gain most.
func TestMostNearMisses(t *testing.T) {
	req, a := world(90, 1, 2, 100), app("/a")
	role := 0
	for i, o := range req.Offers { // 2 of the first role, 3 of the second …
		if i == role*(role+3)/2 {
			role++
		}
		o.Role = fmt.Sprint("role-", role)
	}
	got := placement.Explain(context.Background(), clusterOf(req), placement.Wanted{App: a, Count: 1}, nil).NearMisses
	if len(got) != placement.MostNearMisses || got[0].Text != "13 agents fit with the role role-12" || len(got[9].Agents) != 4 {
		t.Errorf("%d: %+v", len(got), got)
	}
}

func ExampleExplain() {
	app := &spec.App{
		ID: "/web", Role: "*", CPUs: 1, Mem: 1024,
		Constraints: []spec.Constraint{{Field: "hostname", Operator: "UNIQUE"}},
	}
	unique := prepare(app.Constraints[0])
	defer unique.Close()
	agents := []*placement.Agent{agent(0, 2), agent(1, 2), agent(2, 2)}
	cluster := placement.Cluster{
		Offers: []*placement.Offer{offer(agents[0], 4, 2048), offer(agents[1], 4, 512)},
		Agents: agents,
	}
	wanted := placement.Wanted{App: app, Count: 2, Placed: agents[:1]}
	why := placement.Explain(context.Background(), cluster, wanted, []placement.Rule{{Constraint: app.Constraints[0], Prepared: unique}})
	for _, a := range why.Agents {
		fmt.Println(a.Agent.Hostname, "-", a.Verdict)
		for _, f := range a.Findings {
			if f.Verdict == placement.Refused {
				fmt.Printf("  %s: asked %s, had %s: %s\n", f.Name, f.Asked, f.Had, f.Reason)
			}
		}
	}
	for _, miss := range why.NearMisses {
		fmt.Println(miss.Text)
	}
	// Output:
	// host-0 - refused
	//   hostname:UNIQUE: asked UNIQUE, had host-0: each value takes one instance
	// host-1 - refused
	//   mem: asked 1024, had 512: needs 1024 mem, 512 offered
	// host-2 - no offer
	// 1 agent fits if mem <= 512
	// 1 agent fits without hostname:UNIQUE
}

package placement_test

import (
	"context"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
)

// BenchmarkExplain explains an app that fits nowhere, with a rule of each kind
// and near misses on all agents. The time per agent stays the same.
func BenchmarkExplain(b *testing.B) {
	for _, bench := range []struct {
		name          string
		agents, asked int
	}{{"agents=1000", 1000, 1000}, {"agents=10000", 10000, 10000}, {"agents=10000,asked=50", 10000, 50}} {
		agents := bench.agents
		b.Run(bench.name, func(b *testing.B) {
			req := world(agents, 40, 32, 1000)
			for i, o := range req.Offers {
				o.Shares[0].Scalars[placement.Mem] = placement.Milli(i%500+1) * 1000
			}
			a := app("/a", constraint("hostname", "UNIQUE"), constraint("rack", "GROUP_BY"), constraint("rack", "LIKE", "r[0-9]*"))
			a.Mem, a.RequirePorts, a.PortDefinitions = 2000, true, ports(31000, 31050)
			q := question{clusterOf(req), placement.Wanted{App: a, Count: 50}, rulesOf()(a)}
			b.ReportAllocs()
			for b.Loop() {
				left := bench.asked
				got := placement.ExplainSome(context.Background(), q.cluster, q.wanted, q.rules, func(*placement.Agent) bool {
					left--
					return left >= 0
				})
				if got.Tally[placement.Refused] != agents || len(got.NearMisses) != 2 {
					b.Fatalf("%v, near misses %v", got.Tally, got.NearMisses)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(agents), "ns/agent")
		})
	}
}

// BenchmarkPredict predicts 1,000 instances of 10 apps on 10,000 agents.
func BenchmarkPredict(b *testing.B) {
	req := world(10000, 40, 32, 1000)
	var wanted []placement.Wanted
	for range 10 {
		wanted = append(wanted, placement.Wanted{App: app("/a", constraint("rack", "GROUP_BY")), Count: 100})
	}
	rules := rulesOf()
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range placement.Predict(context.Background(), clusterOf(req), wanted, rules) {
			if p.Placed != 100 {
				b.Fatalf("placed %d", p.Placed)
			}
		}
	}
}

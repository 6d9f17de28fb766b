package placement_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// cpu is the processor time that this process has used: on a machine that others
// use too it says more than the time that passed.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF cannot fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMatch places 1,000 instances on 1,000 offers, by a matcher that knows
// the agents.
func BenchmarkMatch(b *testing.B) {
	for name, list := range map[string][]spec.Constraint{
		"plain":    nil,
		"LIKE":     {constraint("rack", "LIKE", "r[0-9]*")},
		"UNIQUE":   {constraint("hostname", "UNIQUE")},
		"GROUP_BY": {constraint("rack", "GROUP_BY")},
	} {
		b.Run(name, func(b *testing.B) {
			req, a := world(1000, 40, 32, 1000), app("/a", list...)
			a.PortDefinitions = make([]spec.PortDefinition, 1)
			req.Wanted = []placement.Wanted{{App: a, Count: 1000}}
			m, rules := placement.Matcher{MaxPerOffer: 5}, rulesOf()
			b.ReportAllocs()
			start := cpu()
			for b.Loop() {
				if n := len(m.Match(context.Background(), req, rules).Placements); n != 1000 {
					b.Fatalf("placed %d", n)
				}
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkCluster places 100 instances on the agents of a small and of a large
// cluster, all of them offered: what differs between the two grows with agents.
func BenchmarkCluster(b *testing.B) {
	for _, shape := range []struct {
		name string
		list []spec.Constraint
	}{
		{"plain", nil},
		{"LIKE", []spec.Constraint{constraint("rack", "LIKE", "r[0-9]*")}},
		{"UNIQUE", []spec.Constraint{constraint("@hostname", "UNIQUE")}},
		{"MAX_PER", []spec.Constraint{constraint("@hostname", "MAX_PER", "1")}},
		{"GROUP_BY rack", []spec.Constraint{constraint("rack", "GROUP_BY")}},
		{"GROUP_BY host", []spec.Constraint{constraint("@hostname", "GROUP_BY")}},
	} {
		for _, agents := range []int{1000, 10000} {
			b.Run(fmt.Sprintf("%s/agents=%d", shape.name, agents), func(b *testing.B) {
				req, a := world(agents, 40, 32, 1000), app("/a", shape.list...)
				a.PortDefinitions = make([]spec.PortDefinition, 1)
				req.Wanted = []placement.Wanted{{App: a, Count: 100}}
				m, rules := placement.Matcher{MaxPerOffer: 5, Spread: true}, rulesOf()
				b.ReportAllocs()
				start := cpu()
				for b.Loop() {
					if n := len(m.Match(context.Background(), req, rules).Placements); n != 100 {
						b.Fatalf("placed %d", n)
					}
				}
				b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

package placement_test

import (
	"context"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

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
			for b.Loop() {
				if n := len(m.Match(context.Background(), req, rules).Placements); n != 1000 {
					b.Fatalf("placed %d", n)
				}
			}
		})
	}
}

package placement_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestAfterPanic wants a match that was broken off by a policy's panic to leave
// nothing behind: the matcher goes on to be used.
func TestAfterPanic(t *testing.T) {
	var m placement.Matcher
	rules := rulesOf()
	spread := app("/a", constraint("rack", "GROUP_BY"))
	broken := &answerer{traits: sdk.Stateful}
	broken.answer = func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
		if broken.asked == 3 {
			panic("out of memory")
		}
		return rules(spread)[0].Prepared.Evaluate(context.Background(), in)
	}
	large := world(100, 10, 8, 1000)
	large.Wanted = []placement.Wanted{{App: spread, Count: 50}}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("nothing panicked")
			}
		}()
		m.Match(context.Background(), large, func(*spec.App) []placement.Rule {
			return []placement.Rule{{Constraint: spread.Constraints[0], Prepared: broken}}
		})
	}()
	small := world(7, 3, 4, 1000)
	small.Wanted = []placement.Wanted{{App: spread, Count: 12}}
	var fresh placement.Matcher
	want, got := fresh.Match(context.Background(), small, rules), m.Match(context.Background(), small, rules)
	if diff := cmp.Diff(brief(want), brief(got)); diff != "" {
		t.Error(diff)
	}
}

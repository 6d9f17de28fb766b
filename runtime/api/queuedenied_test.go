package api

import (
	"slices"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// TestQueueOfADeniedApp: no offer will do, and a policy says why.
func TestQueueOfADeniedApp(t *testing.T) {
	r := &placement.Refusals{Processed: 3, Denied: "ftp://a: denied by the fetch policy schemes"}
	r.Declined[placement.UnfulfilledConstraint] = 3
	v := &scheduler.AppView{
		App: &spec.App{ID: "/a"}, Refusals: r, Instances: []*scheduler.Instance{{Goal: scheduler.GoalRunning}},
	}
	item := queueItemOf(v, 0)
	if item.Denied != r.Denied || item.Fault != "" || item.Processed.Unused != 3 {
		t.Errorf("%q, fault %q, %d unused offers", item.Denied, item.Fault, item.Processed.Unused)
	}
	if got := item.Processed.LastOffers[1]; got != (rejectReason{"UnfulfilledConstraint", 3, 3}) {
		t.Errorf("%+v", got)
	}
	findings := []placement.Finding{{Rule: placement.RuleCPUs, Verdict: placement.Fits}, {Rule: placement.RuleMem, Verdict: placement.Refused}}
	if got := reasonsOf(findings, true); !slices.Equal(got, []string{"UnfulfilledConstraint", "InsufficientMemory"}) {
		t.Errorf("reasons %v", got)
	}
	if got := reasonsOf(findings, false); !slices.Equal(got, []string{"InsufficientMemory"}) {
		t.Errorf("reasons of an app that is not denied: %v", got)
	}
}

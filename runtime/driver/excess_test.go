package driver_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// greedy is a strategy that always answers the same, and is blamed.
type greedy struct {
	*diary
	step sdk.UpgradeStep
}

func (g greedy) Next(context.Context, sdk.UpgradeState) (sdk.UpgradeStep, error) { return g.step, nil }
func (greedy) Close()                                                            {}
func (g greedy) Blame(cause string) *sdk.Fault {
	g.add("blamed: %s", cause)
	return &sdk.Fault{Module: "greedy@1", Cause: cause}
}

// A step beyond the envelope goes to the core, which cuts it, and its module is
// blamed by name.
func TestStepBeyondTheEnvelope(t *testing.T) {
	state := sdk.UpgradeState{Instances: 4, MinHealthy: 4, MaxTotal: 5, Old: 4, OldHealthy: 4}
	for _, tt := range []struct {
		name  string
		step  sdk.UpgradeStep
		cause string
	}{
		{"within it", sdk.UpgradeStep{Start: 1}, ""},
		{"beyond it", sdk.UpgradeStep{Start: 1, Kill: 2}, "it asked to kill 2 instances where the envelope allows 0"},
		{"stopped", sdk.UpgradeStep{Kill: 2, Outcome: sdk.Pause}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, func(w *world) {
					w.policies.upgrade = greedy{w.diary, tt.step}
					w.core.on = func(c *core, ev scheduler.Event) {
						if _, ok := ev.(scheduler.Offers); ok {
							c.effects.Upgrades = []scheduler.UpgradeAsk{{Number: 7, App: &spec.App{ID: "/a"}, State: state}}
						}
					}
				})
				w.driver.Post(scheduler.Offers{})
				synctest.Wait()
				want := scheduler.UpgradeStepped{Number: 7, App: "/a", Step: tt.step}
				blames := 0
				if tt.cause != "" {
					want.Excess, blames = &sdk.Fault{Module: "greedy@1", Cause: tt.cause}, 1
				}
				if diff := cmp.Diff(want, w.core.seen[len(w.core.seen)-1]); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if got := count(w.all(), "blamed: "+tt.cause); got != blames {
					t.Errorf("blamed %d times, want %d", got, blames)
				}
			})
		})
	}
}

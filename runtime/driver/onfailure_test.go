package driver_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// failure is a fault of a module as its operator wants it.
type failure struct {
	sdk.Fault
	givesUp bool
	lasts   time.Duration
}

func (f *failure) Error() string               { return f.Fault.Error() }
func (f *failure) GivesUp() bool               { return f.givesUp }
func (f *failure) MaxStaleness() time.Duration { return f.lasts }

// failingStrategy has no answers.
type failingStrategy struct{ err error }

func (f failingStrategy) Next(context.Context, sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return sdk.UpgradeStep{}, f.err
}
func (failingStrategy) Close() {}

// An upgrade whose strategy fails is held or, where the operator wants it so, rolled
// back with the fault as its reason.
func TestUpgradeIsHeldOrGivenUp(t *testing.T) {
	fault := sdk.Fault{Module: "slow@1", Cause: "unreachable"}
	for _, givesUp := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, func(w *world) {
				w.policies.upgrade = failingStrategy{&failure{Fault: fault, givesUp: givesUp}}
				w.core.on = func(c *core, ev scheduler.Event) {
					if _, ok := ev.(scheduler.Offers); ok {
						c.effects.Upgrades = []scheduler.UpgradeAsk{{Number: 7, App: &spec.App{ID: "/a"}}}
					}
				}
			})
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
			got := w.core.seen[len(w.core.seen)-1].(scheduler.UpgradeStepped)
			const text = "policy module slow@1: unreachable"
			switch {
			case !givesUp && (got.Fault != text || got.Step.Outcome != sdk.Proceed || got.Step.Kill+got.Step.Start != 0):
				t.Errorf("answer %+v, want the fault alone", got)
			case givesUp && (got.Fault != "" || got.Step.Outcome != sdk.RollBack || got.Step.Reason != "given up because its strategy failed: "+text):
				t.Errorf("answer %+v, want a rollback", got)
			}
		})
	}
}

// ruled has one rule that fails, beside the one that is built in.
type ruled struct {
	policies
	err atomic.Pointer[failure] // nil: it works
}

func (r *ruled) PrepareHealth(_ context.Context, h sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return rule(func(context.Context) ([]sdk.HealthVerdict, error) {
		if h.Rule == driver.DefaultRule {
			return []sdk.HealthVerdict{{State: sdk.Unhealthy}}, nil
		}
		if err := r.err.Load(); err != nil {
			return nil, err
		}
		return []sdk.HealthVerdict{{State: sdk.Healthy}}, nil
	}), nil
}

// Verdicts stay while a rule fails; when that lasts too long, the built-in rule judges
// and the fault is told all the same, until the rule is back.
func TestStaleVerdicts(t *testing.T) {
	fault := sdk.Fault{Module: "calm@1", Cause: "unreachable"}
	for _, tt := range []struct{ wanted, lasts time.Duration }{{0, driver.DefaultStaleness}, {time.Minute, time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			app := &spec.App{ID: "/a", Labels: map[string]string{spec.HealthRuleLabel: "calm"}}
			var r *ruled
			w := start(t, func(w *world) {
				r = &ruled{policies: w.policies}
				w.core.on, w.asked = askHealth(app), r
			})
			ask := func() scheduler.HealthJudged {
				w.driver.Post(scheduler.Offers{})
				synctest.Wait()
				answers := w.judged()
				return answers[len(answers)-1]
			}
			check := func(when string, fault bool, verdicts ...sdk.HealthVerdict) {
				t.Helper()
				if got := ask(); (got.Fault != "") != fault || !slices.Equal(got.Verdicts, verdicts) ||
					fault && !strings.HasPrefix(got.Fault, "policy module calm@1: unreachable") {
					t.Errorf("%s: %+v", when, got)
				}
			}
			well, sick := sdk.HealthVerdict{State: sdk.Healthy}, sdk.HealthVerdict{State: sdk.Unhealthy}
			check("at first", false, well)
			r.err.Store(&failure{Fault: fault, lasts: tt.wanted})
			check("failing", true)
			<-time.After(tt.lasts - time.Second) // of the bubble
			check("failing for long", true)
			<-time.After(time.Second)
			check("failing for too long", true, sick)
			r.err.Store(nil)
			check("back", false, well)
			r.err.Store(&failure{Fault: fault, lasts: tt.wanted})
			check("failing again", true)
		})
	}
}

// The built-in rule has nobody to stand in for it.
func TestNoRuleInPlaceOfTheBuiltIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) {
			w.core.on = askHealth(&spec.App{ID: "/a"})
			w.policies.rule = rule(func(context.Context) ([]sdk.HealthVerdict, error) { return nil, errors.New("broken") })
		})
		for range 2 {
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
			<-time.After(2 * driver.DefaultStaleness) // of the bubble
		}
		for _, a := range w.judged() {
			if a.Fault != "broken" || a.Verdicts != nil {
				t.Errorf("%+v", a)
			}
		}
	})
}

// pinning gives each match the version there is when it begins.
type pinning struct {
	policies
	version *atomic.Int64
}

type pinned struct {
	policies
	version int64
}

func (p pinning) Pin() (driver.MatchPolicies, func()) {
	x := pinned{p.policies, p.version.Load()}
	return x, func() { x.add("done with %d", x.version) }
}

func (p pinned) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	p.add("%s by %d", c.App.ID, p.version)
	return constraint{p.diary, c.App.ID}, nil
}

func (p pinned) DecideFetch(_ context.Context, a sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	p.add("%s fetched by %d", a.ID, p.version)
	return make([]sdk.FetchDecision, len(uris)), nil
}

// One match asks one version, for all of its apps, whatever happens meanwhile.
func TestMatchIsPinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var version atomic.Int64
		like := []spec.Constraint{{Field: "f", Operator: "LIKE"}}
		b := fetching("/b", "ok:1")
		b.Constraints = like
		w := start(t, func(w *world) {
			w.asked = pinning{w.policies, &version}
			w.core.on = askFor(&spec.App{ID: "/a", Constraints: like}, b)
			w.matcher = func(_ context.Context, r placement.Request, rules func(*spec.App) []placement.Rule) placement.Result {
				for _, wanted := range r.Wanted {
					version.Add(1) // a reload
					rules(wanted.App)
				}
				return placement.Result{}
			}
		})
		for range 2 {
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
		}
		var got []string
		for _, line := range w.all() {
			if strings.Contains(line, " by ") || strings.HasPrefix(line, "done with") {
				got = append(got, line)
			}
		}
		if want := []string{"/b fetched by 0", "/a by 0", "/b by 0", "done with 0", "done with 2"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// strategies has one that fails, beside the one that is built in.
type strategies struct {
	policies
	fails error
}

// nativeStrategy starts two, and forgets what it is told to keep in mind.
type nativeStrategy struct{ failingStrategy }

func (nativeStrategy) Next(context.Context, sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return sdk.UpgradeStep{Start: 2}, nil
}

func (s strategies) PrepareUpgrade(_ context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	if u.Strategy == driver.DefaultStrategy {
		return nativeStrategy{}, nil
	}
	return failingStrategy{s.fails}, nil
}

// What undoes an upgrade is not given up when its strategy fails, too: the built-in one
// brings it to its end, or instances of both versions would stay.
func TestARollbackDoesNotNeedTheStrategyThatFailed(t *testing.T) {
	app := &spec.App{ID: "/a", Labels: map[string]string{spec.StrategyLabel: "slow"}}
	state := sdk.UpgradeState{Undoes: true, MaxTotal: 9, Memory: []byte("mine")}
	for _, givesUp := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, func(w *world) {
				w.asked = strategies{w.policies, &failure{Fault: sdk.Fault{Module: "slow@1", Cause: "unreachable"}, givesUp: givesUp}}
				w.core.on = func(c *core, ev scheduler.Event) {
					if _, ok := ev.(scheduler.Offers); ok {
						c.effects.Upgrades = []scheduler.UpgradeAsk{{Number: 7, App: app, State: state}}
					}
				}
			})
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
			got := w.core.seen[len(w.core.seen)-1].(scheduler.UpgradeStepped)
			switch {
			case givesUp && (got.Fault != "" || got.Step.Outcome != sdk.Proceed || got.Step.Start != 2 || string(got.Step.Memory) != "mine"):
				t.Errorf("answer %+v, want that of the built-in strategy", got)
			case !givesUp && got.Fault == "":
				t.Errorf("answer %+v, want the fault", got)
			}
		})
	}
}

package driver_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// changing are policies that others take the place of.
type changing struct {
	policies
	generation *atomic.Uint64
}

func (c changing) Generation() uint64 { return c.generation.Load() }

// aging is what changing policies prepared: of an app with "old" in its name it is
// stale after any change.
type aging struct {
	changing
	made uint64
	app  string
}

func (a aging) Stale() bool {
	return a.made != a.generation.Load() && strings.Contains(a.app, "old")
}
func (a aging) Close() { a.add("close %s", a.app) }

func (a aging) Traits() sdk.Traits { return 0 }
func (a aging) Evaluate(context.Context, sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	return sdk.ConstraintAnswer{}, nil
}

func (a aging) Next(context.Context, sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return sdk.UpgradeStep{}, nil
}

func (a aging) Judge(_ context.Context, h []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	return make([]sdk.HealthVerdict, len(h)), nil
}

func (c changing) prepared(app sdk.AppFacts) aging {
	c.add("prepare %s", app.ID)
	return aging{c, c.generation.Load(), app.ID}
}

func (c changing) Prepare(_ context.Context, s sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return c.prepared(s.App), nil
}

func (c changing) PrepareUpgrade(_ context.Context, s sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return c.prepared(s.App), nil
}

func (c changing) PrepareHealth(_ context.Context, s sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return c.prepared(s.App), nil
}

// rounds has three questions asked, with a change of the policies before the last,
// and returns what the policies were told.
func rounds(t *testing.T, on func(*core, scheduler.Event)) (told []string) {
	synctest.Test(t, func(t *testing.T) {
		var generation *atomic.Uint64
		w := start(t, func(w *world) {
			w.core.on = on
			w.policies.fetch = judge
			generation = new(atomic.Uint64)
			w.asked = changing{w.policies, generation}
			w.matcher = func(_ context.Context, r placement.Request, rules func(*spec.App) []placement.Rule) placement.Result {
				for _, wanted := range r.Wanted {
					rules(wanted.App)
				}
				return placement.Result{}
			}
		})
		for round := range 3 {
			if round == 2 {
				w.add("changed")
				generation.Add(1)
			}
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
		}
		for _, line := range w.all() {
			if strings.HasPrefix(line, "prepare") || strings.HasPrefix(line, "close") || strings.HasPrefix(line, "fetch") || line == "changed" {
				told = append(told, line)
			}
		}
	})
	return told
}

// What is stale is closed and prepared anew before the next question, and nothing
// else is.
func TestStaleConstraints(t *testing.T) {
	app := func(id spec.PathID) *spec.App {
		return &spec.App{ID: id, Version: 1, Constraints: []spec.Constraint{{Field: "f", Operator: "LIKE"}}}
	}
	got := rounds(t, askFor(app("/old"), app("/new")))
	if want := []string{"prepare /old", "prepare /new", "changed", "close /old", "prepare /old"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestStaleUpgrade(t *testing.T) {
	for id, want := range map[spec.PathID][]string{
		"/old": {"prepare /old", "changed", "close /old", "prepare /old"},
		"/new": {"prepare /new", "changed"},
	} {
		got := rounds(t, func(c *core, ev scheduler.Event) {
			if _, ok := ev.(scheduler.Offers); ok {
				c.effects.Upgrades = []scheduler.UpgradeAsk{{Number: 7, App: &spec.App{ID: id}}}
			}
		})
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestStaleHealth(t *testing.T) {
	for id, want := range map[spec.PathID][]string{
		"/old": {"prepare /old", "changed", "close /old", "prepare /old"},
		"/new": {"prepare /new", "changed"},
	} {
		if got := rounds(t, askHealth(&spec.App{ID: id})); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A decision on what is fetched holds until the policies are others.
func TestStaleFetch(t *testing.T) {
	got := rounds(t, askFor(fetching("/a", "old:1")))
	if want := []string{"fetch /a", "changed", "fetch /a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

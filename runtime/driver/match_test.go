package driver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// askFor makes the core ask for a match of these apps at each Offers event.
func askFor(apps ...*spec.App) func(*core, scheduler.Event) {
	return func(c *core, ev scheduler.Event) {
		if _, ok := ev.(scheduler.Offers); !ok {
			return
		}
		r := &placement.Request{Offers: []*placement.Offer{{ID: "o"}}}
		for _, a := range apps {
			r.Wanted = append(r.Wanted, placement.Wanted{App: a, Count: 1})
		}
		c.effects.Match = r
	}
}

// answers are the Matched events that the core has seen.
func (w *world) answers() []scheduler.Matched {
	var out []scheduler.Matched
	for _, ev := range w.core.seen {
		if m, ok := ev.(scheduler.Matched); ok {
			out = append(out, m)
		}
	}
	return out
}

func TestMatchAnswers(t *testing.T) {
	app := &spec.App{ID: "/a", Version: 1}
	for _, tt := range []struct {
		name  string
		match matcher
		fault bool
	}{
		{"at once", func(context.Context, placement.Request, func(*spec.App) []placement.Rule) placement.Result {
			return placement.Result{Refusals: []placement.Refusals{{App: app}}}
		}, false},
		{"at its deadline", func(ctx context.Context, _ placement.Request, _ func(*spec.App) []placement.Rule) placement.Result {
			<-ctx.Done()
			return placement.Result{Refusals: []placement.Refusals{{App: app, Fault: ctx.Err()}}}
		}, true},
		{"with a panic", func(context.Context, placement.Request, func(*spec.App) []placement.Rule) placement.Result {
			panic("broken")
		}, true},
		{"long after its deadline", func(context.Context, placement.Request, func(*spec.App) []placement.Rule) placement.Result {
			<-time.After(time.Hour)
			return placement.Result{}
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, func(w *world) { w.core.on = askFor(app); w.matcher = tt.match })
				for round := 1; round <= 3; round++ {
					w.driver.Post(scheduler.Offers{})
					<-time.After(10 * time.Second) // of the bubble
					synctest.Wait()
					if n := len(w.answers()); n != round {
						t.Fatalf("%d answers after %d matches", n, round)
					}
				}
				m := w.answers()[0]
				if len(m.MatchedOffers) != 1 || len(m.Result.Refusals) != 1 || (m.Result.Refusals[0].Fault != nil) != tt.fault {
					t.Errorf("answer %+v, want fault %t", m, tt.fault)
				}
				w.stop()
				<-time.After(2 * time.Hour) // of the bubble: the late ones go home
			})
		})
	}
}

func TestLargeAnswerComesInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &spec.App{ID: "/a"}
		w := start(t, func(w *world) {
			w.core.on = askFor(app)
			w.matcher = func(context.Context, placement.Request, func(*spec.App) []placement.Rule) placement.Result {
				var r placement.Result
				for i := range 1000 {
					r.Placements = append(r.Placements, placement.Placement{App: app, Offer: &placement.Offer{ID: fmt.Sprint(i)}})
				}
				return r
			}
		})
		w.driver.Post(scheduler.Offers{})
		synctest.Wait()
		var sizes []int
		for _, m := range w.answers() {
			sizes = append(sizes, len(m.Result.Placements))
		}
		if !slices.Equal(sizes, []int{400, 400, 200}) {
			t.Errorf("pieces %v, want 400, 400, 200", sizes)
		}
	})
}

// readRules is a matcher that only looks at the constraints.
func readRules(w *world) matcher {
	return func(_ context.Context, r placement.Request, rules func(*spec.App) []placement.Rule) placement.Result {
		for _, wanted := range r.Wanted {
			for _, rule := range rules(wanted.App) {
				w.add("rule %s %v", rule.Constraint.Operator, rule.Err)
			}
		}
		return placement.Result{}
	}
}

func TestConstraintsArePreparedOncePerVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &spec.App{ID: "/a", Version: 1, Constraints: []spec.Constraint{{Field: "hostname", Operator: "UNIQUE"}}}
		w := start(t, func(w *world) { w.core.on = askFor(app); w.matcher = readRules(w) })
		for range 3 {
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
		}
		if n := count(w.all(), "prepare /a UNIQUE"); n != 1 {
			t.Errorf("prepared %d times, want once: %q", n, w.all())
		}
		w.stop()
		<-w.ended
		synctest.Wait()
		if n := count(w.all(), "close /a"); n != 1 {
			t.Errorf("closed %d times at the end, want once", n)
		}
	})
}

func TestConstraintsOfGoneVersionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := spec.Timestamp(0)
		w := start(t, func(w *world) {
			w.core.on = func(c *core, ev scheduler.Event) {
				version++
				askFor(&spec.App{ID: "/a", Version: version, Constraints: []spec.Constraint{{Operator: "IS"}}})(c, ev)
			}
			w.matcher = readRules(w)
		})
		for range 100 {
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
		}
		// The snapshot of the fake has no apps at all: every version is gone.
		if n := count(w.all(), "close /a"); n < 80 {
			t.Errorf("%d of 100 versions closed, want most", n)
		}
	})
}

func TestFailedPreparationIsTriedAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &spec.App{ID: "/a", Constraints: []spec.Constraint{{Operator: "NEW"}}}
		w := start(t, func(w *world) {
			w.policies.err = errors.New("not loaded")
			w.core.on = askFor(app)
			w.matcher = readRules(w)
		})
		for range 4 { // at 0, 4, 8 and 12 seconds
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
			<-time.After(4 * time.Second)
		}
		if n := count(w.all(), "prepare /a NEW"); n != 2 {
			t.Errorf("prepared %d times in 12 s, want 2", n)
		}
		if n := count(w.all(), "rule NEW not loaded"); n != 4 {
			t.Errorf("%d rules with the error, want 4", n)
		}
	})
}

func count(lines []string, line string) int {
	n := 0
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}

package driver_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// rule answers with a function of the test.
type rule func(ctx context.Context) ([]sdk.HealthVerdict, error)

func (r rule) Judge(ctx context.Context, _ []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	return r(ctx)
}
func (rule) Close() {}

// probes are what a prober was told.
type probes struct{ *diary }

func (p probes) Change(list []scheduler.Probing) { p.add("probes %d", len(list)) }

// askHealth is a core that asks about one instance, whatever comes but answers.
func askHealth(app *spec.App) func(*core, scheduler.Event) {
	number := uint64(0)
	return func(c *core, ev scheduler.Event) {
		if _, ok := ev.(scheduler.Offers); ok {
			number++
			c.effects.Health = []scheduler.HealthAsk{{Number: number, App: app, Histories: make([]sdk.HealthHistory, 1)}}
		}
	}
}

func (w *world) judged() (answers []scheduler.HealthJudged) {
	for _, ev := range w.core.seen {
		if a, ok := ev.(scheduler.HealthJudged); ok {
			answers = append(answers, a)
		}
	}
	return answers
}

// TestHealthRuleAlwaysAnswers: whatever a rule does, the core has an answer, and the
// next question is asked.
func TestHealthRuleAlwaysAnswers(t *testing.T) {
	well := []sdk.HealthVerdict{{State: sdk.Healthy}}
	for _, tt := range []struct {
		name  string
		rule  sdk.PreparedHealth
		fault string
	}{
		{"it answers", rule(func(context.Context) ([]sdk.HealthVerdict, error) { return well, nil }), ""},
		{"there is none", nil, "no health rules here"},
		{"it fails", rule(func(context.Context) ([]sdk.HealthVerdict, error) { return well, errors.New("out of fuel") }), "out of fuel"},
		{"it panics", rule(func(context.Context) ([]sdk.HealthVerdict, error) { panic("boo") }), "the health rule panicked: boo"},
		{
			"it answers too much", rule(func(context.Context) ([]sdk.HealthVerdict, error) { return append(well, well...), nil }),
			"the health rule answered 2 verdicts on 1 histories",
		},
		{
			"it is slow", rule(func(ctx context.Context) ([]sdk.HealthVerdict, error) { <-ctx.Done(); return nil, ctx.Err() }),
			"context deadline exceeded",
		},
		{
			"it hangs", rule(func(context.Context) ([]sdk.HealthVerdict, error) { <-time.After(time.Hour); return well, nil }),
			"the health rule did not answer within",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, func(w *world) {
					w.core.on, w.policies.rule = askHealth(&spec.App{ID: "/a"}), tt.rule
				})
				for round := 1; round <= 2; round++ {
					w.driver.Post(scheduler.Offers{})
					<-time.After(10 * time.Second) // of the bubble
					synctest.Wait()
					answers := w.judged()
					if len(answers) != round {
						t.Fatalf("%d answers to %d questions", len(answers), round)
					}
					a := answers[round-1]
					if a.App != "/a" || a.Number != uint64(round) || !strings.HasPrefix(a.Fault, tt.fault) || (a.Fault == "") != (tt.fault == "") {
						t.Errorf("answer %+v, want the fault %q", a, tt.fault)
					}
					if tt.fault == "" && !cmp.Equal(a.Verdicts, well) || tt.fault != "" && a.Verdicts != nil {
						t.Errorf("verdicts %v with the fault %q", a.Verdicts, a.Fault)
					}
				}
				w.stop()
				<-time.After(2 * time.Hour) // of the bubble: the late ones go home
			})
		})
	}
}

// TestRuleIsPreparedOncePerVersion, with the name that the label gives it.
func TestRuleIsPreparedOncePerVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &spec.App{ID: "/a", Version: 1, Labels: map[string]string{spec.HealthRuleLabel: " Window "}}
		w := start(t, func(w *world) {
			w.core.on = askHealth(app)
			w.policies.rule = rule(func(context.Context) ([]sdk.HealthVerdict, error) { return make([]sdk.HealthVerdict, 1), nil })
		})
		for range 3 {
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
		}
		if n := count(w.all(), "prepare window of /a"); n != 1 || len(w.judged()) != 3 {
			t.Errorf("prepared %d times, %d answers", n, len(w.judged()))
		}
	})
}

func TestHealthSpec(t *testing.T) {
	app := &spec.App{ID: "/a", Instances: 2, HealthChecks: []spec.HealthCheck{
		{Protocol: spec.CheckTCP, Interval: time.Second, GracePeriod: time.Minute, MaxConsecutiveFailures: 3}, {Protocol: spec.CheckCommand, Timeout: 2 * time.Second},
	}}
	want := sdk.HealthSpec{
		Rule: "consecutive", App: sdk.AppFacts{ID: "/a", Version: app.Version.String(), Instances: 2},
		Checks: []sdk.HealthCheck{
			{Protocol: "TCP", IntervalMillis: 1000, GraceMillis: 60_000, MaxConsecutiveFailures: 3}, {Protocol: "COMMAND", TimeoutMillis: 2000, ByMesos: true},
		},
	}
	if diff := cmp.Diff(want, driver.HealthSpec(app)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestProbesFollowTheSave: nobody is probed before what asks for it is durable.
func TestProbesFollowTheSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) {
			w.core.on = func(c *core, ev scheduler.Event) {
				if _, ok := ev.(scheduler.Offers); ok {
					c.effects.Save, c.effects.Probes = []scheduler.Record{{Key: "a"}}, make([]scheduler.Probing, 2)
				}
			}
		})
		w.driver.Post(scheduler.Offers{})
		synctest.Wait()
		all := w.all()
		saved, told := slices.Index(all, "save 1"), slices.Index(all, "probes 2")
		if saved < 0 || told < saved {
			t.Errorf("in this order: %v", all)
		}
	})
}

// off is the error of a policy whose module is off.
type off struct{ sdk.Invalid }

func (*off) Absent() (module, kind string) { return "zoo@1", "health" }

// The core is told whose fault it is that there is no answer.
func TestAnswersNameTheModule(t *testing.T) {
	fault := &sdk.Fault{Module: "zoo@1", Kind: "health", Cause: "fuel exhausted"}
	for _, tt := range []struct {
		err  error
		want *sdk.Fault
	}{
		{fault, fault},
		{&off{sdk.Invalid{Message: "zoo is off"}}, &sdk.Fault{Module: "zoo@1", Kind: "health", Cause: "zoo is off"}},
		{errors.New("nobody knows"), nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, func(w *world) {
				w.core.on = askHealth(&spec.App{ID: "/a"})
				w.policies.rule = rule(func(context.Context) ([]sdk.HealthVerdict, error) { return nil, tt.err })
			})
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
			if got := w.judged(); len(got) != 1 || !cmp.Equal(got[0].Failed, tt.want) {
				t.Errorf("%+v", got)
			}
		})
	}
}

package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// DefaultRule is the health rule of apps that name none.
const DefaultRule = "consecutive"

// HealthSpec is what a policy is told of the app version whose instances it judges.
func HealthSpec(app *spec.App) sdk.HealthSpec {
	rule := app.Labels[spec.HealthRuleLabel]
	if rule == "" {
		rule = DefaultRule
	}
	return sdk.HealthSpec{Rule: sdk.CanonicalRule(rule), App: appFacts(app), Checks: scheduler.HealthChecksOf(app)}
}

// judge asks the health rule of one app version. The core has one question out at a
// time, so it is used by one goroutine at a time.
type judge struct {
	question

	policies Policies
	app      *spec.App
	prepared sdk.PreparedHealth // nil until the first question
	now      func() time.Time
	failing  time.Time          // since when the rule fails; zero while it works
	native   sdk.PreparedHealth // DefaultRule in its place; nil before that is needed
}

// DefaultStaleness is how long verdicts stay while a rule fails, before DefaultRule
// judges in its place.
const DefaultStaleness = 5 * time.Minute

// askHealth has the rules answer; each answer comes through the inbox.
func (d *Driver) askHealth(ctx context.Context, asks []scheduler.HealthAsk) {
	for i := range asks {
		ask := &asks[i]
		key := appVersion{ask.App.ID, ask.App.Version}
		j := d.judges[key]
		if j == nil || !j.usable() {
			j = &judge{question: question{noun: "health rule"}, policies: d.cfg.Policies, app: ask.App, now: d.cfg.Now}
			d.judges[key] = j
		}
		j.out.Store(true)
		go d.askPolicy(ctx, &j.question, ask.App.ID,
			func(ctx context.Context) scheduler.Event { return j.answer(ctx, ask) },
			func(cause string) scheduler.Event {
				return scheduler.HealthJudged{Number: ask.Number, App: ask.App.ID, Fault: cause}
			})
	}
	if len(asks) > 0 {
		d.sweepJudges()
	}
}

// answer asks the rule.
func (j *judge) answer(ctx context.Context, ask *scheduler.HealthAsk) scheduler.HealthJudged {
	answer := scheduler.HealthJudged{Number: ask.Number, App: ask.App.ID}
	verdicts, err := judgeBy(ctx, j.policies, HealthSpec(j.app), &j.prepared, ask.Histories)
	if err == nil {
		j.failing, answer.Verdicts = time.Time{}, verdicts
		return answer
	}
	answer.Fault = err.Error()
	answer.Failed = failed(err)
	if j.failing.IsZero() {
		j.failing = j.now()
	}
	native := HealthSpec(j.app)
	if lasts := stalenessOf(err); native.Rule == DefaultRule || j.now().Sub(j.failing) < lasts {
		return answer
	}
	native.Rule = DefaultRule
	if verdicts, err = judgeBy(ctx, j.policies, native, &j.native, ask.Histories); err == nil {
		answer.Verdicts = verdicts
		answer.Fault = fmt.Sprintf("%s (since %v; the rule %s judges meanwhile)", answer.Fault, j.failing.UTC().Format(time.RFC3339), DefaultRule)
	}
	return answer
}

// stalenessOf is how long verdicts stay after such an error.
func stalenessOf(err error) time.Duration {
	var s interface{ MaxStaleness() time.Duration }
	if errors.As(err, &s) && s.MaxStaleness() != 0 {
		return s.MaxStaleness()
	}
	return DefaultStaleness
}

// judgeBy asks one rule, and prepares it when that has to be done.
func judgeBy(ctx context.Context, policies Policies, spec sdk.HealthSpec, prepared *sdk.PreparedHealth, histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	if err := renew(prepared, func() (sdk.PreparedHealth, error) { return policies.PrepareHealth(ctx, spec) }); err != nil {
		return nil, err
	}
	verdicts, err := (*prepared).Judge(ctx, histories)
	if err == nil && len(verdicts) != len(histories) {
		err = fmt.Errorf("the health rule answered %d verdicts on %d histories", len(verdicts), len(histories))
	}
	return verdicts, err
}

// sweepJudges closes those of versions that have no instances any more. It does so
// only when many may be: a batch must not cost a walk over all instances.
func (d *Driver) sweepJudges() {
	if len(d.judges) <= 2*d.liveJudges+sweepSlack {
		return
	}
	snapshot := d.Snapshot()
	for key, j := range d.judges {
		if j.out.Load() || judgedStill(snapshot, key) {
			continue
		}
		delete(d.judges, key)
		j.close()
	}
	d.liveJudges = len(d.judges)
}

func judgedStill(s *scheduler.Snapshot, key appVersion) bool {
	view, ok := s.Apps.Get([]byte(key.id))
	if !ok {
		return false
	}
	if view.App.Version <= key.version { // the snapshot may be one batch old
		return true
	}
	for _, i := range view.Instances {
		if i.Version == key.version {
			return true
		}
	}
	return false
}

// close releases what the rule holds, unless a question is out.
func (j *judge) close() {
	if j.out.Load() {
		return
	}
	for _, p := range []sdk.PreparedHealth{j.prepared, j.native} {
		if p != nil {
			p.Close()
		}
	}
}

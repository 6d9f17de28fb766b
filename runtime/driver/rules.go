package driver

import (
	"context"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

const (
	// errorRetry is how long a constraint that could not be prepared is left
	// alone before it is tried again: less than the core's pause after a fault, so
	// that the next match does not find the old error.
	errorRetry = 5 * time.Second
	// sweepSlack is how many app versions may be kept beyond twice those in use.
	sweepSlack = 16
)

// rules remembers the prepared constraints of app versions. It belongs to one
// asker.
type rules struct {
	policies MatchPolicies // of the match under way
	now      func() time.Time
	apps     map[appVersion]*prepared
	live     int // app versions left by the last sweep
	// generation is that of the policies when stale constraints were last looked for.
	generation uint64
}

type appVersion struct {
	id      spec.PathID
	version spec.Timestamp
}

type prepared struct {
	rules []placement.Rule
	// retry is when a failed preparation is tried again; zero when none failed.
	retry time.Time
}

func newRules(policies MatchPolicies, now func() time.Time) *rules {
	return &rules{policies: policies, now: now, apps: map[appVersion]*prepared{}}
}

// of returns the lookup for one match.
func (r *rules) of(ctx context.Context) func(*spec.App) []placement.Rule {
	r.dropStale()
	return func(app *spec.App) []placement.Rule {
		if len(app.Constraints) == 0 {
			return nil
		}
		key := appVersion{app.ID, app.Version}
		p := r.apps[key]
		if p != nil && !p.retry.IsZero() && !r.now().Before(p.retry) {
			p.close()
			p = nil
		}
		if p == nil {
			p = r.prepare(ctx, app)
			r.apps[key] = p
		}
		return p.rules
	}
}

// dropStale closes what has to be prepared anew, and what could not be prepared: the
// policies are others now. A match without such a change costs one comparison.
func (r *rules) dropStale() {
	g := generationOf(r.policies)
	if g == r.generation {
		return
	}
	r.generation = g
	for key, p := range r.apps {
		if p.stale() {
			p.close()
			delete(r.apps, key)
		}
	}
}

func (p *prepared) stale() bool {
	for _, rule := range p.rules {
		if rule.Err != nil || stale(rule.Prepared) {
			return true
		}
	}
	return false
}

func (r *rules) prepare(ctx context.Context, app *spec.App) *prepared {
	p := &prepared{rules: make([]placement.Rule, len(app.Constraints))}
	for i, c := range app.Constraints {
		pc, err := r.policies.Prepare(ctx, ConstraintSpec(app, c))
		p.rules[i] = placement.Rule{Constraint: c, Prepared: pc, Err: err}
		if err != nil {
			p.rules[i].Prepared = nil
			p.retry = r.now().Add(errorRetry)
		}
	}
	return p
}

// ConstraintSpec is what a policy is told of one constraint of an app.
func ConstraintSpec(app *spec.App, c spec.Constraint) sdk.ConstraintSpec {
	return sdk.ConstraintSpec{
		Field:    sdk.CanonicalField(c.Field),
		Operator: sdk.CanonicalOperator(c.Operator),
		Value:    c.Value,
		HasValue: c.HasValue,
		App:      appFacts(app),
	}
}

// appFacts is what policies are told of an app version.
func appFacts(app *spec.App) sdk.AppFacts {
	return sdk.AppFacts{
		ID: string(app.ID), Version: app.Version.String(), Instances: uint32(max(0, app.Instances)), Role: app.Role, Labels: app.Labels,
	}
}

// sweep closes the constraints of versions that are gone. It does so only when
// many may be: a match must not cost a walk over all apps.
func (r *rules) sweep(s *scheduler.Snapshot) {
	if len(r.apps) <= 2*r.live+sweepSlack {
		return
	}
	for key, p := range r.apps {
		view, ok := s.Apps.Get([]byte(key.id))
		if !ok || view.Removed || view.App.Version != key.version {
			p.close()
			delete(r.apps, key)
		}
	}
	r.live = len(r.apps)
}

// close releases everything.
func (r *rules) close() {
	for _, p := range r.apps {
		p.close()
	}
	clear(r.apps)
}

func (p *prepared) close() {
	for _, rule := range p.rules {
		if rule.Prepared != nil {
			rule.Prepared.Close()
		}
	}
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// policies is the catalog in the words of those who ask it.
type policies struct {
	*policy.Catalog
	events atomic.Pointer[api.Events]    // who is told of what happens to modules; nil before a node is there
	keeper atomic.Pointer[policyKeeper]  // what the next leader is told; nil while the node does not lead
	asking atomic.Pointer[driver.Driver] // whose core asks them; nil while the node does not lead
}

// loadPatience is how long a term may be held up by modules that are being
// compiled. Without them the first match would refuse their apps.
const loadPatience = 15 * time.Second

// awaitLoaded waits until all modules are there, or failed.
func (p *policies) awaitLoaded(ctx context.Context, log *slog.Logger) {
	patience := time.NewTimer(loadPatience)
	defer patience.Stop()
	select {
	case <-p.Loaded():
	case <-ctx.Done():
	case <-patience.C:
		log.Warn("policy modules are still being loaded; their apps wait, others do not")
	}
}

// Prepare is for matches: it does not wait for modules, since other apps would
// wait with it.
func (p *policies) Prepare(ctx context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	ctx, cancel := p.impatient(ctx)
	defer cancel()
	return p.Catalog.Prepare(ctx, c)
}

// Pin implements the optional method of driver.Policies: one match asks one version of
// each module.
func (p *policies) Pin() (driver.MatchPolicies, func()) {
	pinned := p.Catalog.Pin()
	return pinnedPolicies{pinned, p}, pinned.Release
}

// pinnedPolicies are those of one match.
type pinnedPolicies struct {
	*policy.Pinned
	of *policies
}

// Prepare is as impatient as that of policies.
func (p pinnedPolicies) Prepare(ctx context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	ctx, cancel := p.of.impatient(ctx)
	defer cancel()
	return p.Pinned.Prepare(ctx, c)
}

// DecideFetch is as impatient, too.
func (p pinnedPolicies) DecideFetch(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	ctx, cancel := p.of.impatient(ctx)
	defer cancel()
	return p.Pinned.DecideFetch(ctx, app, uris)
}

// PrepareUpgrade is for upgrades under way, and as impatient as Prepare.
func (p *policies) PrepareUpgrade(ctx context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	ctx, cancel := p.impatient(ctx)
	defer cancel()
	return p.Catalog.PrepareUpgrade(ctx, u)
}

// PrepareHealth is for instances that run, and as impatient as Prepare.
func (p *policies) PrepareHealth(ctx context.Context, h sdk.HealthSpec) (sdk.PreparedHealth, error) {
	ctx, cancel := p.impatient(ctx)
	defer cancel()
	return p.Catalog.PrepareHealth(ctx, h)
}

// impatient ends soon as long as modules are still loading.
func (p *policies) impatient(ctx context.Context) (context.Context, context.CancelFunc) {
	select {
	case <-p.Loaded():
		return ctx, func() {}
	default:
		return context.WithTimeout(ctx, 10*time.Millisecond)
	}
}

// check is for users: it has a constraint of an app prepared, to see whether the
// policies can work with it.
func (p *policies) check(ctx context.Context, app *spec.App, c spec.Constraint) error {
	prepared, err := p.Catalog.Prepare(ctx, driver.ConstraintSpec(app, c))
	if err != nil {
		return err
	}
	prepared.Close()
	return nil
}

// checkStrategy is check for the strategy of an app's upgrades.
func (p *policies) checkStrategy(ctx context.Context, app *spec.App) error {
	prepared, err := p.Catalog.PrepareUpgrade(ctx, driver.UpgradeSpec(app))
	if err != nil {
		return err
	}
	prepared.Close()
	return nil
}

// foreseeUpgrade tells where the strategy of an app stops an upgrade in which all
// goes well; nil for nowhere.
func (p *policies) foreseeUpgrade(ctx context.Context, app *spec.App, old int) (*deployment.Halt, error) {
	ctx = policy.Unjudged(ctx)
	prepared, err := p.PrepareUpgrade(ctx, driver.UpgradeSpec(app))
	if err != nil {
		return nil, err
	}
	defer prepared.Close()
	return deployment.Forecast(app, old, func(s sdk.UpgradeState) (sdk.UpgradeStep, error) { return prepared.Next(ctx, s) })
}

// checkRule is check for the health rule of an app.
func (p *policies) checkRule(ctx context.Context, app *spec.App) error {
	prepared, err := p.Catalog.PrepareHealth(ctx, driver.HealthSpec(app))
	if err != nil {
		return err
	}
	prepared.Close()
	return nil
}

// rules prepares all constraints of an app for a question of a user, see policy.Unjudged.
func (p *policies) rules(ctx context.Context, app *spec.App) (rules []placement.Rule, done func()) {
	ctx = policy.Unjudged(ctx)
	rules = make([]placement.Rule, len(app.Constraints))
	for i, c := range app.Constraints {
		rules[i].Constraint = c
		if prepared, err := p.Prepare(ctx, driver.ConstraintSpec(app, c)); err != nil {
			rules[i].Err = err
		} else {
			rules[i].Prepared = unjudged{prepared}
		}
	}
	return rules, func() {
		for _, r := range rules {
			if r.Prepared != nil {
				r.Prepared.Close()
			}
		}
	}
}

// unjudged is a constraint that is asked for somebody to look at.
type unjudged struct{ sdk.PreparedConstraint }

// Evaluate implements sdk.PreparedConstraint.
func (u unjudged) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	return u.PreparedConstraint.Evaluate(policy.Unjudged(ctx), in)
}

// summary is one line for people.
func (p *policies) summary() string {
	failed := 0
	for _, m := range p.Modules() {
		if m.State == policy.Failed {
			failed++
		}
	}
	text := fmt.Sprintf("%v", p.Operators())
	if failed > 0 {
		text += fmt.Sprintf(", %d failed to load (see /pacer/v1/policies)", failed)
	}
	return text
}

// close ends the loading and releases the modules.
func (p *policies) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = p.Close(ctx) // the process ends
}

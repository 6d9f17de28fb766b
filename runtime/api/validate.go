package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/spec"
)

// validate checks an app with the rules of the API, then what it leaves to the
// policies, and at last whether it may change into that. sent is what it was made
// from, nil for an app that was accepted before.
func (s *server) validate(r *http.Request, roles spec.Roles, sent *spec.Update, app, current *spec.App) error {
	faults := &spec.Faults{Message: spec.MessageInvalidObject}
	err := app.Validate(spec.Rules{
		Settings: s.Settings, Roles: roles, Current: current, Sent: sent, Force: flag(r, "force", false),
	})
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	s.checkPolicies(r, app, current, faults)
	checkTermLabels(app, faults)
	if err := faults.Err(); err != nil || current == nil {
		return err
	}
	return app.ValidateChange(current)
}

// checkPolicies asks the policies about the constraints, the strategy and the health rule. What
// the app has already is not asked about again: a missing module must not keep an
// app from being scaled.
func (s *server) checkPolicies(r *http.Request, app, current *spec.App, faults *spec.Faults) {
	ctx, cancel := context.WithTimeout(r.Context(), s.CommandTimeout)
	defer cancel()
	s.checkFetch(ctx, app, current, faults)
	for i, c := range app.Constraints {
		if c.Field == "" || current != nil && hasConstraint(current, c) { // one without a field is a fault already
			continue
		}
		if err := s.CheckConstraint(ctx, app, c); err != nil {
			faults.Add("/constraints("+strconv.Itoa(i)+")", err.Error())
		}
	}
	s.checkRule(ctx, app, current, faults)
	s.checkStrategy(ctx, app, current, faults)
}

// checkStrategy asks the policies about the upgrade strategy, and its settings, which
// are labels and the capacities of the app.
func (s *server) checkStrategy(ctx context.Context, app, current *spec.App, faults *spec.Faults) {
	same := current != nil && maps.Equal(current.Labels, app.Labels) && current.UpgradeStrategy == app.UpgradeStrategy
	if app.Labels[spec.StrategyLabel] == "" || same {
		return
	}
	if err := s.CheckStrategy(ctx, app); err != nil {
		faults.Add("/labels/"+spec.StrategyLabel, err.Error())
	}
}

// checkRule asks the policies about the health rule, and its settings, which are
// labels too.
func (s *server) checkRule(ctx context.Context, app, current *spec.App, faults *spec.Faults) {
	if app.Labels[spec.HealthRuleLabel] == "" || current != nil && maps.Equal(current.Labels, app.Labels) {
		return
	}
	if err := s.CheckRule(ctx, app); err != nil {
		faults.Add("/labels/"+spec.HealthRuleLabel, err.Error())
	}
}

func hasConstraint(app *spec.App, c spec.Constraint) bool { return slices.Contains(app.Constraints, c) }

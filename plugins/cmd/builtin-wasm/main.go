// Command builtin-wasm is the policies that Pacer ships as a WASM module: the same
// source in the other form, for the tests that hold both to the same answers. Pacer
// itself runs them natively.
package main

import (
	"context"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/plugins/admission"
	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
)

var _ = guest.Register(guest.Module{
	Name: "builtin", Version: "1.0.0",
	Constraint: operators{}, Fetch: fetches{}, Upgrade: strategies{}, Health: rules{}, Admission: reviews{},
})

func main() {}

// The prefixes keep the names apart from the native ones, so that one catalog takes
// both: W_LIKE, w-mirror and so on.
const (
	upper = "W_"
	lower = "w-"
)

// all are the names that the policies have, with the prefix.
func all[P any](prefix string, policies []P, of func(P) []string) []string {
	var names []string
	for _, p := range policies {
		for _, name := range of(p) {
			names = append(names, prefix+name)
		}
	}
	return names
}

// prepare cuts the prefix off the name and has the policy of that name take the spec.
func prepare[P interface {
	Prepare(context.Context, S) (R, error)
}, S, R any](ctx context.Context, prefix string, policies []P, of func(P) []string, name *string, spec *S) (R, error) {
	*name = strings.TrimPrefix(*name, prefix)
	for _, p := range policies {
		if slices.Contains(of(p), *name) {
			return p.Prepare(ctx, *spec)
		}
	}
	var none R
	return none, &sdk.Invalid{Message: "no policy " + *name}
}

type operators struct{}

func (operators) Operators() []string {
	return all(upper, constraints.All(), sdk.Constraint.Operators)
}

func (operators) Prepare(ctx context.Context, s sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return prepare[sdk.Constraint, sdk.ConstraintSpec, sdk.PreparedConstraint](
		ctx, upper, constraints.All(), sdk.Constraint.Operators, &s.Operator, &s)
}

type fetches struct{}

func (fetches) Policies() []string { return all(lower, fetchers.All(), sdk.Fetch.Policies) }

func (fetches) Prepare(ctx context.Context, s sdk.FetchSpec) (sdk.PreparedFetch, error) {
	return prepare[sdk.Fetch, sdk.FetchSpec, sdk.PreparedFetch](
		ctx, lower, fetchers.All(), sdk.Fetch.Policies, &s.Policy, &s)
}

type strategies struct{}

func (strategies) Strategies() []string {
	return all(lower, upgrades.All(), sdk.Upgrade.Strategies)
}

func (strategies) Prepare(ctx context.Context, s sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return prepare[sdk.Upgrade, sdk.UpgradeSpec, sdk.PreparedUpgrade](
		ctx, lower, upgrades.All(), sdk.Upgrade.Strategies, &s.Strategy, &s)
}

type rules struct{}

func (rules) Rules() []string { return all(lower, health.All(), sdk.Health.Rules) }

func (rules) Prepare(ctx context.Context, s sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return prepare[sdk.Health, sdk.HealthSpec, sdk.PreparedHealth](
		ctx, lower, health.All(), sdk.Health.Rules, &s.Rule, &s)
}

type reviews struct{}

func (reviews) Policies() []string { return all(lower, admission.All(), sdk.Admission.Policies) }

func (reviews) Review(ctx context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	r.Policy = strings.TrimPrefix(r.Policy, lower)
	for _, p := range admission.All() {
		if slices.Contains(p.Policies(), r.Policy) {
			return p.Review(ctx, r)
		}
	}
	return sdk.AdmissionReview{}, &sdk.Invalid{Message: "no policy " + r.Policy}
}

package main

import (
	"context"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// table is the policies of one kind by the names that this module has for them.
type table[P any] struct {
	prefix   string
	policies []P
}

func newTable[P any](prefix string, policies []P) table[P] { return table[P]{prefix, policies} }

// names are all of the policies' names, with the prefix.
func (t table[P]) names(of func(P) []string) []string {
	var names []string
	for _, policy := range t.policies {
		for _, name := range of(policy) {
			names = append(names, t.prefix+name)
		}
	}
	return names
}

// find is the policy that offers the name, and its own name for it.
func (t table[P]) find(name string, of func(P) []string) (policy P, own string, err error) {
	own = strings.TrimPrefix(name, t.prefix)
	for _, policy := range t.policies {
		if slices.Contains(of(policy), own) {
			return policy, own, nil
		}
	}
	return policy, own, &sdk.Invalid{Message: "there is no " + name}
}

type anyConstraint struct{ table[sdk.Constraint] }

func (a anyConstraint) Operators() []string { return a.names(sdk.Constraint.Operators) }

func (a anyConstraint) Prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	policy, own, err := a.find(spec.Operator, sdk.Constraint.Operators)
	if err != nil {
		return nil, err
	}
	spec.Operator = own
	return policy.Prepare(ctx, spec)
}

type anyFetch struct{ table[sdk.Fetch] }

func (a anyFetch) Policies() []string { return a.names(sdk.Fetch.Policies) }

func (a anyFetch) Prepare(ctx context.Context, spec sdk.FetchSpec) (sdk.PreparedFetch, error) {
	policy, own, err := a.find(spec.Policy, sdk.Fetch.Policies)
	if err != nil {
		return nil, err
	}
	spec.Policy = own
	return policy.Prepare(ctx, spec)
}

type anyUpgrade struct{ table[sdk.Upgrade] }

func (a anyUpgrade) Strategies() []string { return a.names(sdk.Upgrade.Strategies) }

func (a anyUpgrade) Prepare(ctx context.Context, spec sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	policy, own, err := a.find(spec.Strategy, sdk.Upgrade.Strategies)
	if err != nil {
		return nil, err
	}
	spec.Strategy = own
	return policy.Prepare(ctx, spec)
}

type anyHealth struct{ table[sdk.Health] }

func (a anyHealth) Rules() []string { return a.names(sdk.Health.Rules) }

func (a anyHealth) Prepare(ctx context.Context, spec sdk.HealthSpec) (sdk.PreparedHealth, error) {
	policy, own, err := a.find(spec.Rule, sdk.Health.Rules)
	if err != nil {
		return nil, err
	}
	spec.Rule = own
	return policy.Prepare(ctx, spec)
}

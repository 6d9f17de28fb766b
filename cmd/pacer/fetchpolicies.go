package main

import (
	"context"
	"strings"

	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// defaultFetchPolicies has everything fetched as apps say.
const defaultFetchPolicies = "marathon"

// fetchSteps reads names of policies, each with settings behind a colon or none.
func fetchSteps(text string) []policy.FetchStep {
	var steps []policy.FetchStep
	for _, item := range listOf(text) {
		name, settings, _ := strings.Cut(item, ":")
		steps = append(steps, policy.FetchStep{Policy: name, Settings: settings})
	}
	return steps
}

// DecideFetch is for launches, and as impatient as Prepare.
func (p *policies) DecideFetch(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	ctx, cancel := p.impatient(ctx)
	defer cancel()
	return p.Catalog.DecideFetch(ctx, app, uris)
}

// checkFetch is check for what an app fetches.
func (p *policies) checkFetch(ctx context.Context, app *spec.App) ([]sdk.FetchDecision, error) {
	facts, uris := driver.FetchQuestion(app)
	return p.Catalog.DecideFetch(ctx, facts, uris)
}

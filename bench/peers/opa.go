package main

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/rego"

	_ "github.com/open-policy-agent/opa/v1/features/wasm" // OPA's own engine for its modules

	"github.com/pacer-run/pacer/sdk"
)

//go:embed like.rego
var policies embed.FS

// overOPA compares offers as JSON in a module by OPA, from the offers to the verdicts,
// with columns of values in Pacer's modules: through what OPA has for its modules, and in
// the engine with nothing around it, which is less than anybody would run.
func overOPA(ctx context.Context, r *report, g *guests, values, rows []string) error {
	offers := map[string]any{"offers": offersOf(rows)}
	bare, err := newBareOPA(ctx)
	if err != nil {
		return fmt.Errorf("the module by OPA: %w", err)
	}
	defer bare.engine.Close(ctx)
	own, err := newOwnOPA(ctx)
	if err != nil {
		return fmt.Errorf("the engine of OPA: %w", err)
	}
	for _, name := range []string{"Go", "Rust"} {
		p, err := g.prepare(ctx, name)
		if err != nil {
			return err
		}
		fits, err := verdicts(ctx, p, values)
		if err != nil {
			return err
		}
		in := sdk.ConstraintInput{Values: values, First: -1}
		columns := work{200, func() error {
			_, err := p.Evaluate(ctx, in)
			return err
		}}
		for _, opa := range []struct {
			what string
			ask  func(context.Context, map[string]any) ([]bool, error)
		}{{"OPA", own}, {"OPA's WASM alone", bare.ask}} {
			what := fmt.Sprintf("LIKE, 1,000 offers, 40 values: %s : columns, %s guest", opa.what, name)
			ask := work{1, func() error { return agree(ctx, opa.ask, offers, rows, fits) }}
			if err := (goal{what, 100, true}).measure(r, ask, columns); err != nil {
				return err
			}
		}
		p.Close()
	}
	return nil
}

// agree asks OPA about the offers, and wants the verdicts that the guest has.
func agree(ctx context.Context, ask func(context.Context, map[string]any) ([]bool, error), offers map[string]any, rows []string, fits map[string]bool) error {
	got, err := ask(ctx, offers)
	if err != nil {
		return err
	}
	if len(got) != len(rows) {
		return fmt.Errorf("%d verdicts about %d offers", len(got), len(rows))
	}
	for i, rack := range rows {
		if got[i] != fits[rack] {
			return fmt.Errorf("%q: %t, the guest says %t", rack, got[i], fits[rack])
		}
	}
	return nil
}

// newOwnOPA prepares the policy as users of OPA do who want WASM.
func newOwnOPA(ctx context.Context) (func(context.Context, map[string]any) ([]bool, error), error) {
	policy, err := policies.ReadFile("like.rego")
	if err != nil {
		return nil, err
	}
	query, err := rego.New(rego.Query("data.peers.fits"), rego.Module("like.rego", string(policy)), rego.Target("wasm")).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, input map[string]any) ([]bool, error) {
		results, err := query.Eval(ctx, rego.EvalInput(input))
		if err != nil {
			return nil, err
		}
		if len(results) != 1 || len(results[0].Expressions) != 1 {
			return nil, errors.New("no result")
		}
		list, ok := results[0].Expressions[0].Value.([]any)
		if !ok {
			return nil, errors.New("the result is no list")
		}
		fits := make([]bool, len(list))
		for i, fit := range list {
			fits[i] = fit == true
		}
		return fits, nil
	}, nil
}

package main

import (
	"context"
	"errors"
	"fmt"

	"cel.dev/cel-go/cel"

	"github.com/pacer-run/pacer/sdk"
)

// celLike is LIKE in CEL, with the guards that a host needs around what others wrote: a
// limit of the cost, and a look for an interrupt now and then. The expression of the
// match is compiled once, as it is in Pacer's modules.
func celLike() (ask, error) {
	env, err := cel.NewEnv(cel.Variable("value", cel.StringType))
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(`value.matches('^(?:` + likeRacks + `)$')`)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(1_000_000), cel.InterruptCheckFrequency(100))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, value string) (bool, error) {
		out, _, err := program.ContextEval(ctx, map[string]any{"value": value})
		if err != nil {
			return false, err
		}
		fit, ok := out.Value().(bool)
		if !ok {
			return false, errors.New("the result is no boolean")
		}
		return fit, nil
	}, nil
}

// ask is a question about a single value.
type ask func(ctx context.Context, value string) (bool, error)

// guestLike is the question to a guest.
func guestLike(p sdk.PreparedConstraint) ask {
	return func(ctx context.Context, value string) (bool, error) {
		answer, err := p.Evaluate(ctx, sdk.ConstraintInput{Values: []string{"", value}, First: -1})
		if err != nil {
			return false, err
		}
		return answer.Quota[1] == sdk.Unlimited, nil
	}
}

// overCEL compares a question about a single value with CEL: the Rust guest alone, and
// through Pacer's host, metered, messages included, which is to be no more than CEL. There
// a value is asked about once: its verdict is remembered.
func overCEL(ctx context.Context, r *report, g *guests, values, _ []string) error {
	ctx, cancel := context.WithCancel(ctx) // as a host has it, so that there is something to look for
	defer cancel()
	p, err := g.prepare(ctx, "Rust")
	if err != nil {
		return err
	}
	defer p.Close()
	fits, err := verdicts(ctx, p, values)
	if err != nil {
		return err
	}
	bare, err := newBareGuest(ctx, g.code["Rust"])
	if err != nil {
		return fmt.Errorf("the Rust guest alone: %w", err)
	}
	defer bare.engine.Close(ctx)
	alone, err := bare.inTurn(ctx, values[1:], fits)
	if err != nil {
		return fmt.Errorf("the Rust guest alone: %w", err)
	}
	byCEL, err := celLike()
	if err != nil {
		return err
	}
	limited := work{4000, inTurn(ctx, values[1:], fits, byCEL)}
	for _, guest := range []struct {
		what  string
		ratio float64
		do    func() error
	}{{"Rust guest alone, unmetered", 0.5, alone}, {"Rust guest through the host", 1, inTurn(ctx, values[1:], fits, guestLike(p))}} {
		err := goal{"LIKE, one value: " + guest.what + " : CEL with limits", guest.ratio, false}.measure(r, work{4000, guest.do}, limited)
		if err != nil {
			return err
		}
	}
	return nil
}

// inTurn asks about one value after the other, and wants the verdicts that are known.
func inTurn(ctx context.Context, values []string, fits map[string]bool, question ask) func() error {
	next := 0
	return func() error {
		value := values[next]
		next = (next + 1) % len(values)
		fit, err := question(ctx, value)
		if err == nil && fit != fits[value] {
			err = fmt.Errorf("%q: %t, expected %t", value, fit, fits[value])
		}
		return err
	}
}

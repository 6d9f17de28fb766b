package main

import (
	"context"
	"fmt"
	"io"

	"cel.dev/cel-go/cel"

	"github.com/pacer-run/pacer/sdk"
)

// celLike is LIKE in CEL, with the guards that a host needs around what others wrote: a
// limit of the cost, and a look for an interrupt now and then. The expression of the
// match is compiled once, as it is in Pacer's modules.
func celLike() (cel.Program, error) {
	env, err := cel.NewEnv(cel.Variable("value", cel.StringType))
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(`value.matches('^(?:` + likeRacks + `)$')`)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	return env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(1_000_000), cel.InterruptCheckFrequency(100))
}

// overCEL compares a question about a single value, from the text to the verdict: the
// Rust guest through Pacer's host, messages included, and CEL.
func overCEL(ctx context.Context, w io.Writer, g *guests, rounds int, values, _ []string) error {
	ctx, cancel := context.WithCancel(ctx) // as a host has it, so that there is something to look for
	defer cancel()
	program, err := celLike()
	if err != nil {
		return err
	}
	p, err := g.prepare(ctx, "Rust")
	if err != nil {
		return err
	}
	defer p.Close()
	fits, err := verdicts(ctx, p, values)
	if err != nil {
		return err
	}
	byCEL := func(value string) (bool, error) {
		out, _, err := program.ContextEval(ctx, map[string]any{"value": value})
		if err != nil {
			return false, err
		}
		return out.Value().(bool), nil
	}
	byGuest := func(value string) (bool, error) {
		answer, err := p.Evaluate(ctx, sdk.ConstraintInput{Values: []string{"", value}, First: -1})
		if err != nil {
			return false, err
		}
		return answer.Quota[1] == sdk.Unlimited, nil
	}
	return goal{"LIKE, one value: Rust guest, metered : CEL, limited", 0.5, false}.measure(w, rounds,
		work{4000, inTurn(values[1:], fits, byGuest)}, work{4000, inTurn(values[1:], fits, byCEL)})
}

// inTurn asks about one value after the other, and wants the verdicts that are known.
func inTurn(values []string, fits map[string]bool, ask func(string) (bool, error)) func() error {
	next := 0
	return func() error {
		value := values[next]
		next = (next + 1) % len(values)
		fit, err := ask(value)
		if err == nil && fit != fits[value] {
			err = fmt.Errorf("%q: %t, expected %t", value, fit, fits[value])
		}
		return err
	}
}

// Command loop is a policy module that never answers.
package main

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
)

var _ = guest.Register(guest.Module{Name: "loop", Version: "1.0.0", Constraint: forever{}})

func main() {}

type forever struct{}

func (forever) Operators() []string { return []string{"FOREVER"} }

func (forever) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return forever{}, nil
}

func (forever) Traits() sdk.Traits { return sdk.Stateful }

func (forever) Evaluate(context.Context, sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	n := 0
	for {
		n++
	}
}

func (forever) Close() {}

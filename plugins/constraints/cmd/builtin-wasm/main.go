// Command builtin-wasm is the operators of plugins/constraints as a WASM module:
// the same source in the other form, for the tests that hold both to the same
// answers. Pacer itself runs them natively.
package main

import (
	"context"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
)

var _ = guest.Register(guest.Module{Name: "builtin", Version: "1.0.0", Constraint: all{}})

func main() {}

// prefix keeps the operators apart from the native ones, so that one catalog
// takes both: W_LIKE, W_UNIQUE and so on.
const prefix = "W_"

// all is every operator of the package as one constraint.
type all struct{}

func (all) Operators() []string {
	var names []string
	for _, c := range constraints.All() {
		for _, name := range c.Operators() {
			names = append(names, prefix+name)
		}
	}
	return names
}

func (all) Prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	spec.Operator = strings.TrimPrefix(spec.Operator, prefix)
	for _, c := range constraints.All() {
		if slices.Contains(c.Operators(), spec.Operator) {
			return c.Prepare(ctx, spec)
		}
	}
	return nil, &sdk.Invalid{Message: "no operator " + spec.Operator}
}

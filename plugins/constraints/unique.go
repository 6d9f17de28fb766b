package constraints

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// Unique is UNIQUE: at most one instance on each value.
type Unique struct{}

// Operators returns UNIQUE.
func (Unique) Operators() []string { return []string{"UNIQUE"} }

// Prepare refuses a value.
func (Unique) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	if c.HasValue {
		return nil, &sdk.Invalid{Message: "UNIQUE does not accept a value"}
	}
	return &perCount{quota: unique, reason: "each value takes one instance"}, nil
}

func unique(in sdk.ConstraintInput, quota []uint32) sdk.AnswerFlags {
	for slot, n := range in.Placed {
		if n == 0 {
			quota[slot] = 1
		}
	}
	return 0
}

package constraints

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// Like is LIKE: the whole value matches a regular expression.
type Like struct{}

// Operators returns LIKE.
func (Like) Operators() []string { return []string{"LIKE"} }

// Prepare compiles the expression.
func (Like) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	e, err := compileWhole(c)
	if err != nil {
		return nil, err
	}
	return &perValue{match: e.match, reason: `does not match "` + c.Value + `"`}, nil
}

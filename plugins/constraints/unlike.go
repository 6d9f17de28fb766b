package constraints

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// Unlike is UNLIKE: the whole value does not match a regular expression. Alone
// among the operators it takes agents that do not have the field.
type Unlike struct{}

// Operators returns UNLIKE.
func (Unlike) Operators() []string { return []string{"UNLIKE"} }

// Prepare compiles the expression.
func (Unlike) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	e, err := compileWhole(c)
	if err != nil {
		return nil, err
	}
	return &perValue{
		match:  func(value string) bool { return !e.match(value) },
		absent: true,
		reason: `matches "` + c.Value + `"`,
	}, nil
}

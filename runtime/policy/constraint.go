package policy

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// prepare has a constraint of this origin take spec.
func (o *origin) prepare(ctx context.Context, c sdk.Constraint, spec sdk.ConstraintSpec) (prepared sdk.PreparedConstraint, err error) {
	err = o.call(ctx, spec.App.ID, func() (err error) {
		prepared, err = c.Prepare(ctx, spec)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &counted{PreparedConstraint: prepared, origin: o, app: spec.App.ID}, nil
}

// counted is a constraint whose calls are counted.
type counted struct {
	sdk.PreparedConstraint
	origin *origin
	app    string // its id
}

func (c *counted) Evaluate(ctx context.Context, in sdk.ConstraintInput) (answer sdk.ConstraintAnswer, err error) {
	err = c.origin.call(ctx, c.app, func() (err error) {
		answer, err = c.PreparedConstraint.Evaluate(ctx, in)
		return err
	})
	return answer, err
}

package policy

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// prepareConstraint has a constraint take spec. It releases what it does not keep.
func prepareConstraint(ctx context.Context, found offer[sdk.Constraint], spec sdk.ConstraintSpec) (prepared sdk.PreparedConstraint, err error) {
	err = found.call(ctx, spec.App.ID, func() (err error) {
		prepared, err = found.policy.Prepare(ctx, spec)
		return err
	})
	if err != nil {
		found.release()
		return nil, err
	}
	return &counted{prepared: prepared, source: found.source, app: spec.App.ID}, nil
}

// counted is a constraint whose calls are counted.
type counted struct {
	source

	prepared sdk.PreparedConstraint
	app      string // its id
}

// Traits implements sdk.PreparedConstraint.
func (c *counted) Traits() sdk.Traits { return c.prepared.Traits() }

// Evaluate implements sdk.PreparedConstraint.
func (c *counted) Evaluate(ctx context.Context, in sdk.ConstraintInput) (answer sdk.ConstraintAnswer, err error) {
	err = c.call(ctx, c.app, func() (err error) {
		answer, err = c.prepared.Evaluate(ctx, in)
		return err
	})
	if err != nil {
		err = c.settle(err, c.prepared.Traits()&sdk.PurePerValue != 0)
	}
	return answer, err
}

// Close implements sdk.PreparedConstraint.
func (c *counted) Close() { c.end(c.app, c.prepared.Close) }

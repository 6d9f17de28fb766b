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

// LastFuel implements remote.Metered: 0 where nothing is metered.
func (c *counted) LastFuel() int64 { return lastFuel(c.prepared) }

// Evaluate implements sdk.PreparedConstraint. It is on the way of every placement, so
// it does what source.call does, without that one's function values.
func (c *counted) Evaluate(ctx context.Context, in sdk.ConstraintInput) (answer sdk.ConstraintAnswer, err error) {
	probe, err := c.pass(ctx)
	if err == nil {
		answer, err = c.guarded(ctx, in)
		err = c.count(ctx, c.app, err)
		c.judge(ctx, probe, err)
	}
	if err != nil {
		err = c.settle(err, c.prepared.Traits()&sdk.PurePerValue != 0)
	}
	return answer, err
}

// guarded is source.guard for a question.
func (c *counted) guarded(ctx context.Context, in sdk.ConstraintInput) (answer sdk.ConstraintAnswer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = c.panicked(cause)
		}
	}()
	return c.prepared.Evaluate(ctx, in)
}

// Close implements sdk.PreparedConstraint.
func (c *counted) Close() { c.end(c.app, c.prepared.Close) }

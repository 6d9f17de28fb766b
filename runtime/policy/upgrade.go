package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/sdk"
)

// Strategies lists the upgrade strategies there are now, the built-in ones first.
func (c *Catalog) Strategies() []string {
	return slices.Clone(c.table.Load().upgrades.names)
}

// PrepareUpgrade finds who offers the strategy and has it take the upgrade. The
// strategy may be in any spelling. Waiting and errors are as in Prepare; a panic
// of the policy, and an answer that cannot be, are faults too.
func (c *Catalog) PrepareUpgrade(ctx context.Context, u sdk.UpgradeSpec) (prepared sdk.PreparedUpgrade, err error) {
	u.Strategy = sdk.CanonicalStrategy(u.Strategy)
	found, err := lookup(ctx, view{catalog: c}, upgradesOf, u.Strategy)
	if err != nil {
		return nil, err
	}
	err = found.call(ctx, u.App.ID, func() (err error) {
		prepared, err = found.policy.Prepare(ctx, u)
		return err
	})
	if err != nil {
		found.release()
		return nil, found.settle(err, false)
	}
	return &countedUpgrade{source: found.source, prepared: prepared, app: u.App.ID}, nil
}

// countedUpgrade is an upgrade whose calls are counted and whose answers are
// sound.
type countedUpgrade struct {
	source

	prepared sdk.PreparedUpgrade
	app      string // its id
	// gaveUp is the fault of a strategy that is to be given up when it fails; nil for none.
	gaveUp error
}

// Next asks a strategy no more that was given up: it is asked at every step until the
// upgrade is rolled back, and of what rolls it back, and each of these would be one more
// fault.
func (c *countedUpgrade) Next(ctx context.Context, s sdk.UpgradeState) (step sdk.UpgradeStep, err error) {
	if c.gaveUp != nil {
		return sdk.UpgradeStep{}, c.gaveUp
	}
	err = c.call(ctx, c.app, func() (err error) {
		if step, err = c.prepared.Next(ctx, s); err != nil {
			return err
		}
		return c.sound(&step)
	})
	if err != nil {
		err = c.settle(err, false)
		if f, ok := errors.AsType[*failure](err); ok && f.givesUp {
			c.gaveUp = err
		}
		return sdk.UpgradeStep{}, err
	}
	return step, nil
}

// sound refuses what no step can be. Numbers beyond the envelope are sound: who
// carries the step out cuts them, and tells with Blame.
func (c *countedUpgrade) sound(step *sdk.UpgradeStep) error {
	if step.Outcome > sdk.RollBack {
		return c.fault(fmt.Sprintf("it answered the outcome %d, which there is not", step.Outcome))
	}
	if n := len(step.Memory); n > sdk.MaxUpgradeMemory {
		return c.fault(fmt.Sprintf("it wants %d bytes kept; the limit is %d", n, sdk.MaxUpgradeMemory))
	}
	return nil
}

// Blame notes a fault that shows only to who carries the steps out, and names the
// module.
func (c *countedUpgrade) Blame(cause string) *sdk.Fault { return c.blame(c.app, cause) }

// Close implements sdk.PreparedUpgrade.
func (c *countedUpgrade) Close() { c.end(c.app, c.prepared.Close) }

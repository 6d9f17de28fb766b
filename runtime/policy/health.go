package policy

import (
	"context"
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/sdk"
)

// HealthRules lists the health rules there are now, the built-in ones first.
func (c *Catalog) HealthRules() []string {
	return slices.Clone(c.table.Load().health.names)
}

// PrepareHealth finds who offers the rule and has it take the app version. The rule
// may be in any spelling. Waiting and errors are as in Prepare; a panic of the
// policy, and an answer that cannot be, are faults too.
func (c *Catalog) PrepareHealth(ctx context.Context, h sdk.HealthSpec) (prepared sdk.PreparedHealth, err error) {
	h.Rule = sdk.CanonicalRule(h.Rule)
	found, err := lookup(ctx, view{catalog: c}, healthOf, h.Rule)
	if err != nil {
		return nil, err
	}
	err = found.call(ctx, h.App.ID, func() (err error) {
		prepared, err = found.policy.Prepare(ctx, h)
		return err
	})
	if err != nil {
		found.release()
		return nil, found.settle(err, false)
	}
	return &countedHealth{found.source, prepared, h.App.ID}, nil
}

// countedHealth is a rule whose calls are counted and whose answers are sound.
type countedHealth struct {
	source

	prepared sdk.PreparedHealth
	app      string // its id
}

func (c *countedHealth) Judge(ctx context.Context, histories []sdk.HealthHistory) (verdicts []sdk.HealthVerdict, err error) {
	err = c.call(ctx, c.app, func() (err error) {
		if verdicts, err = c.prepared.Judge(ctx, histories); err != nil {
			return err
		}
		return c.sound(verdicts, len(histories))
	})
	if err != nil {
		return nil, c.settle(err, false)
	}
	return verdicts, nil
}

// sound refuses what no verdicts on so many histories can be. To have an instance
// replaced that must not be is sound: who carries it out sees to that.
func (c *countedHealth) sound(verdicts []sdk.HealthVerdict, histories int) error {
	if len(verdicts) != histories {
		return c.fault(fmt.Sprintf("it answered %d verdicts on %d histories", len(verdicts), histories))
	}
	for _, v := range verdicts {
		switch {
		case v.State > sdk.Unhealthy:
			return c.fault(fmt.Sprintf("it answered the state %d, which there is not", v.State))
		case v.Replace && v.State != sdk.Unhealthy:
			return c.fault(fmt.Sprintf("it wants an instance replaced whose state is %v", v.State))
		}
	}
	return nil
}

// Close implements sdk.PreparedHealth.
func (c *countedHealth) Close() { c.end(c.app, c.prepared.Close) }

package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/sdk"
)

// HealthRules lists the health rules there are now, the built-in ones first.
func (c *Catalog) HealthRules() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.health.names)
}

// PrepareHealth finds who offers the rule and has it take the app version. The rule
// may be in any spelling. Waiting and errors are as in Prepare; a panic of the
// policy, and an answer that cannot be, are faults too.
func (c *Catalog) PrepareHealth(ctx context.Context, h sdk.HealthSpec) (prepared sdk.PreparedHealth, err error) {
	h.Rule = sdk.CanonicalRule(h.Rule)
	found, err := lookup(ctx, c, &c.health, h.Rule)
	if err != nil {
		return nil, err
	}
	err = found.origin.call(ctx, h.App.ID, func() (err error) {
		prepared, err = found.policy.Prepare(ctx, h)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &countedHealth{prepared, found.origin, h.App.ID}, nil
}

// countedHealth is a rule whose calls are counted and whose answers are sound.
type countedHealth struct {
	prepared sdk.PreparedHealth
	origin   *origin
	app      string // its id
}

func (c *countedHealth) Judge(ctx context.Context, histories []sdk.HealthHistory) (verdicts []sdk.HealthVerdict, err error) {
	err = c.origin.call(ctx, c.app, func() (err error) {
		if verdicts, err = c.prepared.Judge(ctx, histories); err != nil {
			return err
		}
		return c.sound(verdicts, len(histories))
	})
	if err != nil {
		return nil, err
	}
	return verdicts, nil
}

// sound refuses what no verdicts on so many histories can be. To have an instance
// replaced that must not be is sound: who carries it out sees to that.
func (c *countedHealth) sound(verdicts []sdk.HealthVerdict, histories int) error {
	if len(verdicts) != histories {
		return c.origin.fault(fmt.Sprintf("it answered %d verdicts on %d histories", len(verdicts), histories))
	}
	for _, v := range verdicts {
		switch {
		case v.State > sdk.Unhealthy:
			return c.origin.fault(fmt.Sprintf("it answered the state %d, which there is not", v.State))
		case v.Replace && v.State != sdk.Unhealthy:
			return c.origin.fault(fmt.Sprintf("it wants an instance replaced whose state is %v", v.State))
		}
	}
	return nil
}

// Close has nobody to tell of a panic but the list of modules.
func (c *countedHealth) Close() {
	err := c.origin.guard(func() error {
		c.prepared.Close()
		return nil
	})
	if fault, ok := errors.AsType[*sdk.Fault](err); ok {
		c.origin.note(c.app, fault)
	}
}

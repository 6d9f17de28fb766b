package driver

import (
	"context"
	"errors"
	"fmt"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// DefaultStrategy is the strategy of apps that name none.
const DefaultStrategy = "rolling"

// UpgradeSpec is what a policy is told of the upgrade to an app version.
func UpgradeSpec(app *spec.App) sdk.UpgradeSpec {
	strategy := app.Labels[spec.StrategyLabel]
	if strategy == "" {
		strategy = DefaultStrategy
	}
	return sdk.UpgradeSpec{
		Strategy: sdk.CanonicalStrategy(strategy), App: appFacts(app),
		MinimumHealthCapacity: app.UpgradeStrategy.MinimumHealthCapacity, MaximumOverCapacity: app.UpgradeStrategy.MaximumOverCapacity,
	}
}

// stepper asks the strategy of one upgrade. The core has one question out at a
// time, so it is used by one goroutine at a time.
type stepper struct {
	question

	policies Policies
	app      *spec.App
	prepared sdk.PreparedUpgrade // nil until the first question
	native   sdk.PreparedUpgrade // DefaultStrategy in its place; nil before that is needed
}

// blamer is a prepared upgrade that keeps account of the faults of its strategy.
// Blame counts one that the strategy itself does not know of, and names the module.
type blamer interface {
	Blame(cause string) *sdk.Fault
}

// blame notes an answer that goes beyond what the strategy was told that it may do.
// The core carries out what is allowed of it.
func (s *stepper) blame(cause string) *sdk.Fault {
	if b, ok := s.prepared.(blamer); ok {
		return b.Blame(cause)
	}
	return &sdk.Fault{Module: UpgradeSpec(s.app).Strategy, Cause: cause}
}

// askUpgrades has the strategies answer; each answer comes through the inbox.
func (d *Driver) askUpgrades(ctx context.Context, asks []scheduler.UpgradeAsk) {
	for i := range asks {
		ask := &asks[i]
		key := appVersion{ask.App.ID, ask.App.Version}
		s := d.steppers[key]
		if s == nil || !s.usable() {
			s = &stepper{question: question{noun: "strategy"}, policies: d.cfg.Policies, app: ask.App}
			d.steppers[key] = s
		}
		s.out.Store(true)
		go d.askPolicy(ctx, &s.question, ask.App.ID,
			func(ctx context.Context) scheduler.Event { return s.next(ctx, ask) },
			func(cause string) scheduler.Event {
				return scheduler.UpgradeStepped{Number: ask.Number, App: ask.App.ID, Fault: cause}
			})
	}
	d.sweepSteppers()
}

// next asks the strategy. One that is prepared anew goes on where it was: what it
// knows is in the memory of the upgrade.
func (s *stepper) next(ctx context.Context, ask *scheduler.UpgradeAsk) scheduler.UpgradeStepped {
	answer := scheduler.UpgradeStepped{Number: ask.Number, App: ask.App.ID}
	err := renew(&s.prepared, func() (sdk.PreparedUpgrade, error) { return s.policies.PrepareUpgrade(ctx, UpgradeSpec(s.app)) })
	if err == nil {
		answer.Step, err = s.prepared.Next(ctx, ask.State)
	}
	if err == nil && len(answer.Step.Memory) > sdk.MaxUpgradeMemory {
		err = fmt.Errorf("the strategy left %d bytes of memory, %d are allowed", len(answer.Step.Memory), sdk.MaxUpgradeMemory)
	}
	if givesUp(err) && ask.State.Undoes {
		answer.Step, err = s.standIn(ctx, ask)
	}
	if givesUp(err) {
		answer.Step = sdk.UpgradeStep{Outcome: sdk.RollBack, Reason: "given up because its strategy failed: " + err.Error()}
	} else if err != nil {
		answer.Step, answer.Fault = sdk.UpgradeStep{}, err.Error()
		answer.Failed = failed(err)
	} else if cause := ask.Excess(&answer.Step); cause != "" {
		answer.Excess = s.blame(cause)
	}
	return answer
}

// standIn has the built-in strategy bring to its end what undoes an upgrade. It cannot
// be given up in its turn: that would leave instances of both versions, and nobody who
// replaces them. What the strategy keeps in mind stays.
func (s *stepper) standIn(ctx context.Context, ask *scheduler.UpgradeAsk) (step sdk.UpgradeStep, err error) {
	native := UpgradeSpec(s.app)
	native.Strategy = DefaultStrategy
	if err := renew(&s.native, func() (sdk.PreparedUpgrade, error) { return s.policies.PrepareUpgrade(ctx, native) }); err != nil {
		return step, err
	}
	step, err = s.native.Next(ctx, ask.State)
	step.Memory = ask.State.Memory
	return step, err
}

// givesUp tells of a fault after which the operator wants the upgrade rolled back
// rather than held.
func givesUp(err error) bool {
	var g interface{ GivesUp() bool }
	return errors.As(err, &g) && g.GivesUp()
}

// sweepSteppers closes those whose upgrade is over. The last snapshot may be one
// batch old: an upgrade that it does not show yet was asked about just now.
func (d *Driver) sweepSteppers() {
	if len(d.steppers) <= sweepSlack {
		return
	}
	snapshot := d.Snapshot()
	for key, s := range d.steppers {
		view, ok := snapshot.Apps.Get([]byte(key.id))
		if ok && (view.Upgrade != nil || view.App.Version < key.version) || s.out.Load() {
			continue
		}
		delete(d.steppers, key)
		s.close()
	}
}

// close releases what the strategy holds, unless a question is out.
func (s *stepper) close() {
	if s.out.Load() {
		return
	}
	for _, p := range []sdk.PreparedUpgrade{s.prepared, s.native} {
		if p != nil {
			p.Close()
		}
	}
}

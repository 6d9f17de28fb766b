package driver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

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
	policies Policies
	app      *spec.App
	prepared sdk.PreparedUpgrade // nil until the first question
	out      atomic.Bool         // a question is out
	stuck    atomic.Bool         // a question was given up: nobody may use it again
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
		if s == nil || s.stuck.Load() {
			s = &stepper{policies: d.cfg.Policies, app: ask.App}
			d.steppers[key] = s
		}
		s.out.Store(true)
		go d.askUpgrade(ctx, s, ask)
	}
	d.sweepSteppers()
}

// askUpgrade answers one question, late or not.
func (d *Driver) askUpgrade(ctx context.Context, s *stepper, ask *scheduler.UpgradeAsk) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.MatchTimeout)
	defer cancel()
	answer := make(chan scheduler.UpgradeStepped, 1)
	go func() {
		a := s.next(ctx, ask)
		s.out.Store(false) // before the answer: the next question may come at once
		answer <- a
	}()
	grace := time.NewTimer(d.cfg.MatchTimeout + matchGrace)
	defer grace.Stop()
	select {
	case a := <-answer:
		d.Post(a)
	case <-grace.C:
		s.stuck.Store(true)
		d.cfg.Log.Error("upgrade strategy did not answer in time", "app", ask.App.ID, "timeout", d.cfg.MatchTimeout, "grace", matchGrace)
		d.Post(scheduler.UpgradeStepped{
			Number: ask.Number, App: ask.App.ID, Fault: fmt.Sprintf("the strategy did not answer within %v", d.cfg.MatchTimeout+matchGrace),
		})
	}
}

// next asks the strategy. Whatever goes wrong is an answer.
func (s *stepper) next(ctx context.Context, ask *scheduler.UpgradeAsk) (answer scheduler.UpgradeStepped) {
	answer = scheduler.UpgradeStepped{Number: ask.Number, App: ask.App.ID}
	defer func() {
		if cause := recover(); cause != nil {
			answer.Fault = fmt.Sprintf("the strategy panicked: %v", cause)
		}
	}()
	var err error
	if stale(s.prepared) { // what it knows is in the memory of the upgrade
		s.prepared.Close()
		s.prepared = nil
	}
	if s.prepared == nil {
		s.prepared, err = s.policies.PrepareUpgrade(ctx, UpgradeSpec(s.app))
	}
	if err == nil {
		answer.Step, err = s.prepared.Next(ctx, ask.State)
	}
	if err == nil && len(answer.Step.Memory) > sdk.MaxUpgradeMemory {
		err = fmt.Errorf("the strategy left %d bytes of memory, %d are allowed", len(answer.Step.Memory), sdk.MaxUpgradeMemory)
	}
	if givesUp(err) {
		answer.Step = sdk.UpgradeStep{Outcome: sdk.RollBack, Reason: "given up because its strategy failed: " + err.Error()}
	} else if err != nil {
		answer.Step, answer.Fault = sdk.UpgradeStep{}, err.Error()
	} else if cause := ask.Excess(&answer.Step); cause != "" {
		answer.Excess = s.blame(cause)
	}
	return answer
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
	if !s.out.Load() && s.prepared != nil {
		s.prepared.Close()
	}
}

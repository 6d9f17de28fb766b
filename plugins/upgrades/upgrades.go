// Package upgrades holds the upgrade strategies that Pacer ships: one file each,
// written against package sdk alone, so that the same source also builds
// as a WASM module.
package upgrades

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// All returns every strategy of this package, the default one first.
func All() []sdk.Upgrade { return []sdk.Upgrade{Rolling{}, Batch{}, Canary{}, BlueGreen{}} }

// stepper is a prepared upgrade that has no settings: its step is a function of
// the state.
type stepper func(p progress) (start, kill int)

func (f stepper) Close() {}

// Next never asks for more than the envelope allows, so nothing is cut from it.
func (f stepper) Next(_ context.Context, s sdk.UpgradeState) (sdk.UpgradeStep, error) {
	p := progressOf(&s)
	return p.step(f(p)), nil
}

// step is the answer to start and kill so many, which may be below 0.
func (p *progress) step(start, kill int) sdk.UpgradeStep {
	step := sdk.UpgradeStep{Start: uint32(max(0, start)), Kill: uint32(max(0, kill))}
	if step.Start == 0 && step.Kill == 0 {
		step.Reason = p.waitsFor()
	}
	return step
}

// progress is the part of an upgrade's state that strategies reckon with, as
// numbers that may go below 0.
type progress struct {
	wanted    int     // instances in the end
	fresh     int     // new ones, on their way or running
	ready     int     // of these: have been healthy and ready
	well      int     // of these: are healthy now
	living    int     // old ones that are not being killed
	unhealthy int     // of these
	dying     int     // old ones that are being killed
	spare     int     // serving ones above those that must be; below 0: too few
	room      int     // how many more may run
	capacity  float64 // the fraction of the wanted ones that must be healthy
}

// progressOf counts a new instance as serving when it is healthy and was ready:
// health alone would make old ones go before the new ones take requests.
func progressOf(s *sdk.UpgradeState) progress {
	living := int(s.Old) - int(s.OldDying)
	serving := int(s.OldHealthy) + int(min(s.NewHealthy, s.NewReady))
	return progress{
		wanted:    int(s.Instances),
		fresh:     int(s.New),
		ready:     int(s.NewReady),
		well:      int(min(s.NewHealthy, s.NewReady)),
		living:    living,
		unhealthy: living - int(s.OldHealthy),
		dying:     int(s.OldDying),
		spare:     serving - int(s.MinHealthy),
		room:      int(s.MaxTotal) - int(s.Old) - int(s.New),
		capacity:  s.MinimumHealthCapacity,
	}
}

// waitsFor says why there is nothing to do now; "" when there is nothing left.
func (p *progress) waitsFor() string {
	switch {
	case p.dying > 0:
		return "waits for old instances to end"
	case p.ready < p.fresh:
		return "waits for new instances to be healthy and ready"
	case p.living > 0:
		return "waits for more instances to be healthy"
	}
	return ""
}

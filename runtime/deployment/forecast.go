package deployment

import (
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Halt is where a strategy stops an upgrade.
type Halt struct {
	New, Old int // instances at that moment
	RollBack bool
	Reason   string // the strategy's; may be ""
}

// forecastSteps bounds the questions of a forecast. Strategies that stop do so early.
const forecastSteps = 1000

// Forecast follows an upgrade in which all goes well: from so many healthy old
// instances on, whatever is killed is dead at once, and whatever is started is
// healthy and ready. It returns where the strategy stops it, nil when it does not,
// or when that takes too long to find out. next asks the strategy.
func Forecast(app *spec.App, old int, next func(sdk.UpgradeState) (sdk.UpgradeStep, error)) (*Halt, error) {
	e := EnvelopeOf(app)
	state := sdk.UpgradeState{
		Instances: uint32(app.Instances), MinimumHealthCapacity: app.UpgradeStrategy.MinimumHealthCapacity,
		MaximumOverCapacity: app.UpgradeStrategy.MaximumOverCapacity, MinHealthy: uint32(e.MinHealthy), MaxTotal: uint32(e.MaxTotal),
		Old: uint32(old), OldHealthy: uint32(old),
	}
	for range forecastSteps {
		if state.Old == 0 && state.New == state.Instances {
			return nil, nil
		}
		step, err := next(state)
		if err != nil {
			return nil, err
		}
		if step.Outcome != sdk.Proceed {
			return &Halt{New: int(state.New), Old: int(state.Old), RollBack: step.Outcome == sdk.RollBack, Reason: step.Reason}, nil
		}
		allowed := Cut(&state, &step)
		if allowed == (Allowed{}) && step.AskAfterMillis == 0 {
			return nil, nil // it waits for something that is not foreseen
		}
		state.Old -= uint32(allowed.KillHealthy + allowed.KillUnhealthy)
		state.New += uint32(allowed.Start)
		state.OldHealthy, state.NewHealthy, state.NewReady = state.Old, state.New, state.New
		state.Millis, state.Memory = state.Millis+step.AskAfterMillis, step.Memory
	}
	return nil, nil
}

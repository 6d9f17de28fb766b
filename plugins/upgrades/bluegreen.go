package upgrades

import (
	"context"
	"fmt"

	"github.com/pacer-run/pacer/sdk"
)

// BlueGreenPauseLabel is the label that has the strategy blue-green pause before the
// old instances go.
const BlueGreenPauseLabel = "PACER_UPGRADE_BLUE_GREEN_PAUSE"

// BlueGreen is the strategy blue-green: all new instances start beside the old
// ones, and when all are healthy and ready all old ones go.
type BlueGreen struct{}

// Strategies returns blue-green.
func (BlueGreen) Strategies() []string { return []string{"blue-green"} }

// Prepare refuses an app whose capacity has no room for all new instances beside
// the old ones.
func (BlueGreen) Prepare(_ context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	if u.MaximumOverCapacity < 1 {
		return nil, &sdk.Invalid{Message: fmt.Sprintf("blue-green runs all new instances beside the old ones: "+
			"set upgradeStrategy.maximumOverCapacity to 1, it is %g", u.MaximumOverCapacity)}
	}
	set := settings{labels: u.App.Labels}
	pause := set.flag(BlueGreenPauseLabel)
	if set.wrong != nil {
		return nil, set.wrong
	}
	return blueGreen{pause}, nil
}

type blueGreen struct{ pause bool }

func (blueGreen) Close() {}

// Next never asks for more than the envelope allows.
func (b blueGreen) Next(_ context.Context, s sdk.UpgradeState) (sdk.UpgradeStep, error) {
	p := progressOf(&s)
	mayKill := p.unhealthy + max(0, p.spare)
	switch {
	case p.well < p.wanted:
		// More old ones than are wanted would take the room of the new ones.
		return p.step(min(p.wanted-p.fresh, p.room), min(p.living-p.wanted, mayKill)), nil
	case b.pause && s.Promotions == 0 && !s.Undoes && p.wanted > 0 && p.living > 0:
		return sdk.UpgradeStep{
			Outcome: sdk.Pause, Reason: fmt.Sprintf("all %d new instances are ready, the old ones are to go", p.fresh),
		}, nil
	}
	return p.step(0, min(p.living, mayKill)), nil
}

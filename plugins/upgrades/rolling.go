package upgrades

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// Rolling is the strategy rolling: new instances start as soon as there is room
// for them, and old ones go as soon as the healthy ones can do without them.
type Rolling struct{}

// Strategies returns rolling.
func (Rolling) Strategies() []string { return []string{"rolling"} }

// Prepare takes any app; there are no settings.
func (Rolling) Prepare(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return stepper(roll), nil
}

func roll(p progress) (start, kill int) {
	start = min(p.wanted-p.fresh, p.room)
	kill = min(p.living, max(p.spare, p.living-p.wanted))
	// Instances that are not healthy give no spare health, and yet take room. When
	// all else is done they make way one by one, so that a new version that does
	// not get healthy costs one of them at most.
	settled := p.dying == 0 && p.ready == p.fresh
	if start <= 0 && kill <= 0 && settled && p.unhealthy > 0 {
		kill = 1
	}
	return start, kill
}

package upgrades

import (
	"context"
	"math"

	"github.com/pacer-run/pacer/sdk"
)

// Batch is the strategy batch: the upgrade goes in two parts. The first, as large
// as the health capacity, has to be ready before the rest begins. In each part
// the old instances go first.
type Batch struct{}

// Strategies returns batch.
func (Batch) Strategies() []string { return []string{"batch"} }

// Prepare takes any app; there are no settings.
func (Batch) Prepare(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return stepper(batch), nil
}

func batch(p progress) (start, kill int) {
	fresh, old := p.wanted, 0 // what the part under way is to end with
	if first := int(math.Round(p.capacity * float64(p.wanted))); p.ready < first {
		fresh, old = first, p.wanted-first
	}
	kill = min(p.living-old, p.unhealthy+max(0, p.spare))
	// Starting before all kills are done is the way on only where the envelope
	// forbids the kills.
	if kill <= 0 && p.dying == 0 {
		start = min(fresh-p.fresh, p.room)
	}
	return start, kill
}

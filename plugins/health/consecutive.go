package health

import (
	"context"
	"slices"

	"github.com/pacer-run/pacer/sdk"
)

// Consecutive is the rule consecutive: an instance is as healthy as its latest
// result, and replaced when as many failures came in a row as the check allows.
type Consecutive struct{}

// Rules returns consecutive.
func (Consecutive) Rules() []string { return []string{"consecutive"} }

// Prepare takes any app; there are no settings.
func (Consecutive) Prepare(_ context.Context, h sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return &prepared{slices.Clone(h.Checks), consecutive}, nil
}

func consecutive(check *sdk.HealthCheck, record *sdk.HealthRecord) sdk.HealthVerdict {
	switch {
	case record.Results == 0:
		return sdk.HealthVerdict{}
	case record.Alive():
		return sdk.HealthVerdict{State: sdk.Healthy}
	}
	limit := check.MaxConsecutiveFailures
	return sdk.HealthVerdict{
		State: sdk.Unhealthy, Replace: limit > 0 && record.ConsecutiveFailures >= limit, Reason: record.LastFailureCause,
	}
}

package fetchers

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// Marathon is the policy marathon: everything is fetched as the app says.
type Marathon struct{}

// Policies returns marathon.
func (Marathon) Policies() []string { return []string{"marathon"} }

// Prepare takes any app; there are no settings.
func (Marathon) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	if f.Settings != "" {
		return nil, &sdk.Invalid{Message: "the fetch policy marathon has no settings"}
	}
	return decide(sdk.AllowFetch), nil
}

// Package author holds the tools of those who write policy modules: scaffolds, the
// build, tests against vectors and recordings, comparison, benchmarks, fuzzing and
// the simulation of upgrades. A command line is put on top of it elsewhere.
//
// Every tool sees a policy as a remote.Module, whether it is a WASM file or built
// into Pacer, so each works on both, and on two of them side by side.
package author

import (
	"github.com/pacer-run/pacer/sdk"
)

// Builtins are the policies that are part of Pacer, which modules are compared with.
type Builtins struct {
	Constraints []sdk.Constraint
	Fetches     []sdk.Fetch
	Upgrades    []sdk.Upgrade
	Healths     []sdk.Health
	Admissions  []sdk.Admission
}

// Allowed is what of a step may be done.
type Allowed struct{ Start, KillUnhealthy, KillHealthy int }

// Envelope is the host's rule about what an upgrade may do at most. It is the core's
// own, handed in, so that a simulation cuts as Pacer does.
type Envelope struct {
	// Bounds are those of an app with so many instances and these two capacities;
	// resident apps are bound to volumes.
	Bounds func(instances int, minimumHealth, maximumOver float64, resident bool) (minHealthy, maxTotal int)
	Cut    func(*sdk.UpgradeState, *sdk.UpgradeStep) Allowed
	// Excess says what of a step goes beyond the bounds; "" when nothing does.
	Excess func(*sdk.UpgradeState, *sdk.UpgradeStep) string
}

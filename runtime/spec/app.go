// Package spec is what users ask for: apps, their ids and constraints, with
// JSON, defaults, normalisation and validation. It is pure.
package spec

import "time"

// App is one version of an app, complete: defaults filled in, legacy forms
// normalised. A value is never changed once it is part of the state.
type App struct {
	ID                    PathID
	Cmd                   string   // run by /bin/sh -c; "" when Args are used
	Args                  []string // exclusive with Cmd
	User                  string   // "" means the framework's
	Env                   map[string]string
	EnvSecrets            map[string]string // variable to the name of its secret; no name is in Env too
	Instances             int
	CPUs                  float64 // cores
	Mem                   float64 // MiB
	Disk                  float64 // MiB
	GPUs                  int
	Executor              string             // "" and "//cmd" mean the command executor
	ExecutorResources     *ExecutorResources // nil: the agent's defaults
	ResourceLimits        *ResourceLimits    // nil: none
	Fetch                 []Artifact
	Container             *Container // nil: a plain process
	Networks              []Network  // never empty
	HealthChecks          []HealthCheck
	Check                 *Check
	ReadinessChecks       []ReadinessCheck  // at most one
	Secrets               map[string]string // name to source
	TTY                   *bool
	Residency             *Residency // of resident apps only
	Dependencies          []PathID   // apps or groups, absolute
	Constraints           []Constraint
	PortDefinitions       []PortDefinition
	RequirePorts          bool
	Backoff               time.Duration // delay before the second launch after a failure
	BackoffFactor         float64
	MaxLaunchDelay        time.Duration
	TaskKillGracePeriod   *time.Duration // nil: the agent's default
	UpgradeStrategy       UpgradeStrategy
	UnreachableStrategy   UnreachableStrategy
	KillSelection         KillSelection
	Labels                map[string]string
	AcceptedResourceRoles []string // empty: the role and "*"
	Role                  string
	Version               Timestamp // last change of any kind
	LastScalingAt         Timestamp
	LastConfigChangeAt    Timestamp
}

// Constraint is [field, operator, value?]. Operator is in upper case.
type Constraint struct {
	Field    string
	Operator string
	Value    string
	HasValue bool
}

// PortDefinition is one port of an app on the host's network. Port is the
// service port, or the wanted host port when the app requires its ports.
type PortDefinition struct {
	Port     int
	Name     string
	Protocol string // "tcp", "udp" or "udp,tcp"
	Labels   map[string]string
}

// UpgradeStrategy bounds the capacity during an upgrade, as fractions of Instances.
type UpgradeStrategy struct {
	MinimumHealthCapacity float64
	MaximumOverCapacity   float64
}

// UnreachableStrategy says when an unreachable instance is replaced and when it
// is forgotten, counted from the moment it became unreachable.
type UnreachableStrategy struct {
	Disabled      bool // never replaced, never forgotten
	InactiveAfter time.Duration
	ExpungeAfter  time.Duration // >= InactiveAfter
}

// KillSelection says which of equal instances dies first.
type KillSelection uint8

const (
	YoungestFirst KillSelection = iota
	OldestFirst
)

// String returns the name of the API.
func (k KillSelection) String() string {
	if k == OldestFirst {
		return "OLDEST_FIRST"
	}
	return "YOUNGEST_FIRST"
}

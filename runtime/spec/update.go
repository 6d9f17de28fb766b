package spec

import (
	"maps"
	"slices"
	"time"
)

// Update is an app as it was sent, whole or in part: nil fields were absent or
// null. Legacy forms are normalised already, and every present field has passed
// the rules that concern it alone; ParseUpdate makes one.
type Update struct {
	ID                    *PathID
	Version               *Timestamp
	VersionInfo           *VersionInfo
	Cmd                   *string
	Args                  *[]string
	User                  *string
	Env                   *map[string]string
	Instances             *int
	CPUs                  *float64
	Mem                   *float64
	Disk                  *float64
	GPUs                  *int
	Constraints           *[]Constraint
	PortDefinitions       *[]PortDefinition
	RequirePorts          *bool
	Backoff               *time.Duration
	BackoffFactor         *float64
	MaxLaunchDelay        *time.Duration
	TaskKillGracePeriod   *time.Duration
	UpgradeStrategy       *UpgradeStrategy
	UnreachableStrategy   *UnreachableStrategy
	KillSelection         *KillSelection
	Labels                *map[string]string
	AcceptedResourceRoles *[]string
	Role                  *string

	// Rollback is set by a partial update that names a version and nothing else
	// but the id: it asks for that stored version.
	Rollback bool
	// Unknown names the fields that no version of the API has, with their
	// place: "foo", "portDefinitions(0)/bar". They have no effect.
	Unknown []string
}

// VersionInfo is the part of an app's JSON that is shown and never asked for.
type VersionInfo struct {
	LastScalingAt, LastConfigChangeAt Timestamp
}

// Defaults returns an app with the API's defaults: without an id, a version, a
// command or a role.
func Defaults() *App {
	return &App{
		Instances:       1,
		CPUs:            1,
		Mem:             128,
		PortDefinitions: []PortDefinition{{Name: "default", Protocol: "tcp"}},
		Backoff:         time.Second,
		BackoffFactor:   1.15,
		MaxLaunchDelay:  300 * time.Second,
		UpgradeStrategy: UpgradeStrategy{MinimumHealthCapacity: 1, MaximumOverCapacity: 1},
	}
}

// Apply returns base with the present fields replaced, each as a whole: maps
// and lists are not merged. Base is left alone, and so are the id, the version
// and the version info. The result is normalised but not validated.
func (u *Update) Apply(base *App) *App {
	app := *base
	app.PortDefinitions = slices.Clone(base.PortDefinitions)
	app.Env, app.Labels = maps.Clone(base.Env), maps.Clone(base.Labels)
	replace(&app.Cmd, u.Cmd)
	replace(&app.Args, u.Args)
	replace(&app.User, u.User)
	replace(&app.Env, u.Env)
	replace(&app.Instances, u.Instances)
	replace(&app.CPUs, u.CPUs)
	replace(&app.Mem, u.Mem)
	replace(&app.Disk, u.Disk)
	replace(&app.GPUs, u.GPUs)
	replace(&app.Constraints, u.Constraints)
	replace(&app.PortDefinitions, u.PortDefinitions)
	replace(&app.RequirePorts, u.RequirePorts)
	replace(&app.Backoff, u.Backoff)
	replace(&app.BackoffFactor, u.BackoffFactor)
	replace(&app.MaxLaunchDelay, u.MaxLaunchDelay)
	replace(&app.UpgradeStrategy, u.UpgradeStrategy)
	replace(&app.UnreachableStrategy, u.UnreachableStrategy)
	replace(&app.KillSelection, u.KillSelection)
	replace(&app.Labels, u.Labels)
	replace(&app.AcceptedResourceRoles, u.AcceptedResourceRoles)
	replace(&app.Role, u.Role)
	if u.TaskKillGracePeriod != nil {
		app.TaskKillGracePeriod = u.TaskKillGracePeriod
	}
	return &app
}

// App returns the whole app that u describes on its own: defaults for what is
// absent, and role for an absent role.
func (u *Update) App(id PathID, role string) *App {
	base := Defaults()
	base.ID, base.Role = id, role
	return u.Apply(base)
}

// replace puts a present value into a field.
func replace[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

package spec

import "time"

// Update is an app as it was sent, whole or in part: nil fields were absent or
// null. Legacy forms are translated already, each into the field that took its
// place; ParseUpdate makes one.
type Update struct {
	ID                    *PathID
	Version               *Timestamp
	VersionInfo           *VersionInfo
	Cmd                   *string
	Args                  *[]string
	User                  *string
	Env                   *map[string]string // set together with EnvSecrets
	EnvSecrets            *map[string]string
	Instances             *int
	CPUs                  *float64
	Mem                   *float64
	Disk                  *float64
	GPUs                  *int
	Executor              *string
	ExecutorResources     *ExecutorResources
	ResourceLimits        *ResourceLimits
	Fetch                 *[]Artifact
	Container             *Container
	Networks              *[]Network
	HealthChecks          *[]HealthCheck
	Check                 *Check
	ReadinessChecks       *[]ReadinessCheck
	Secrets               *map[string]string
	TTY                   *bool
	Residency             *Residency
	Dependencies          *[]PathID
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

	// ipAddress tells that Networks come from the field of that name: it implies
	// a container, and the bridge's name in it means the bridge.
	ipAddress bool

	broken *Faults // rules that the document breaks by itself; nil for none

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
		Networks:        []Network{{Mode: HostNetwork}},
		PortDefinitions: defaultPorts(),
		Backoff:         time.Second,
		BackoffFactor:   1.15,
		MaxLaunchDelay:  300 * time.Second,
		UpgradeStrategy: UpgradeStrategy{MinimumHealthCapacity: 1, MaximumOverCapacity: 1},
	}
}

func defaultPorts() []PortDefinition { return []PortDefinition{{Name: "default", Protocol: "tcp"}} }

// Apply returns base with the present fields replaced, each as a whole: maps
// and lists are not merged. Base is left alone, and so are the id, the version
// and the version info. The result is normalised as a whole, so that fields which
// depend on one another still fit, but not validated.
func (u *Update) Apply(base *App, s Settings) *App {
	app := u.over(base)
	app.normalise(u, s, Partial)
	return app
}

// App returns the whole app that u describes on its own: defaults for what is
// absent, and role for an absent role. It is normalised but not validated.
func (u *Update) App(id PathID, role string, s Settings) *App {
	base := Defaults()
	base.ID, base.Role, base.PortDefinitions = id, role, nil
	app := u.over(base)
	if u.UpgradeStrategy == nil && app.BoundToVolumes() {
		app.UpgradeStrategy = UpgradeStrategy{MinimumHealthCapacity: 0.5}
	}
	if u.UnreachableStrategy == nil && app.Resident() {
		app.UnreachableStrategy = UnreachableStrategy{Disabled: true}
	}
	app.normalise(u, s, Whole)
	return app
}

// over returns base with the present fields replaced.
func (u *Update) over(base *App) *App {
	app := *base
	replace(&app.Cmd, u.Cmd)
	replace(&app.Args, u.Args)
	replace(&app.User, u.User)
	replace(&app.Env, u.Env)
	replace(&app.EnvSecrets, u.EnvSecrets)
	replace(&app.Secrets, u.Secrets)
	replace(&app.Labels, u.Labels)
	replace(&app.Executor, u.Executor)
	replace(&app.Fetch, u.Fetch)
	replace(&app.Networks, u.Networks)
	replace(&app.HealthChecks, u.HealthChecks)
	replace(&app.ReadinessChecks, u.ReadinessChecks)
	replaceWhole(&app.Container, u.Container)
	replaceWhole(&app.Check, u.Check)
	replaceWhole(&app.TTY, u.TTY)
	u.overResources(&app)
	u.overPlacement(&app)
	u.overTiming(&app)
	return &app
}

func (u *Update) overResources(app *App) {
	replace(&app.Instances, u.Instances)
	replace(&app.CPUs, u.CPUs)
	replace(&app.Mem, u.Mem)
	replace(&app.Disk, u.Disk)
	replace(&app.GPUs, u.GPUs)
	replace(&app.PortDefinitions, u.PortDefinitions)
	replace(&app.RequirePorts, u.RequirePorts)
	replaceWhole(&app.ExecutorResources, u.ExecutorResources)
	replaceWhole(&app.ResourceLimits, u.ResourceLimits)
	if l := app.ResourceLimits; l != nil && l.CPUs == nil && l.Mem == nil {
		app.ResourceLimits = nil
	}
}

func (u *Update) overPlacement(app *App) {
	replace(&app.Dependencies, u.Dependencies)
	replace(&app.Constraints, u.Constraints)
	replace(&app.AcceptedResourceRoles, u.AcceptedResourceRoles)
	replace(&app.Role, u.Role)
	replace(&app.KillSelection, u.KillSelection)
	replaceWhole(&app.Residency, u.Residency)
}

func (u *Update) overTiming(app *App) {
	replace(&app.Backoff, u.Backoff)
	replace(&app.BackoffFactor, u.BackoffFactor)
	replace(&app.MaxLaunchDelay, u.MaxLaunchDelay)
	replaceWhole(&app.TaskKillGracePeriod, u.TaskKillGracePeriod)
	replace(&app.UpgradeStrategy, u.UpgradeStrategy)
	replace(&app.UnreachableStrategy, u.UnreachableStrategy)
}

// replace puts a present value into a field.
func replace[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// replaceWhole is replace for a field that may be unset.
func replaceWhole[T any](field **T, value *T) {
	if value != nil {
		*field = value
	}
}

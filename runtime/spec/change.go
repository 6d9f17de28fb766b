package spec

import (
	"maps"
	"slices"
)

// Change is how two versions of an app differ, as far as a deployment cares.
type Change uint8

const (
	Unchanged    Change = iota
	Scaled              // only the number of instances
	Reconfigured        // anything that running instances would have to be replaced for
)

// String returns a word for logs.
func (c Change) String() string { return [...]string{"unchanged", "scaled", "reconfigured"}[c] }

// Compare classifies the change from old to new. Versions do not count.
func Compare(old, new *App) Change {
	switch {
	case !sameCommand(old, new) || !sameResources(old, new) || !samePlacement(old, new) || !sameStrategy(old, new):
		return Reconfigured
	case old.Instances != new.Instances:
		return Scaled
	default:
		return Unchanged
	}
}

// sameCommand takes maps and lists that are nil and those that are empty for the
// same: the API does not tell them apart.
func sameCommand(a, b *App) bool {
	return a.Cmd == b.Cmd && slices.Equal(a.Args, b.Args) && a.User == b.User &&
		maps.Equal(a.Env, b.Env) && maps.Equal(a.Labels, b.Labels)
}

func sameResources(a, b *App) bool {
	return a.CPUs == b.CPUs && a.Mem == b.Mem && a.Disk == b.Disk && a.GPUs == b.GPUs && a.RequirePorts == b.RequirePorts &&
		slices.EqualFunc(a.PortDefinitions, b.PortDefinitions, func(x, y PortDefinition) bool {
			return x.Port == y.Port && x.Name == y.Name && x.Protocol == y.Protocol && maps.Equal(x.Labels, y.Labels)
		})
}

// samePlacement compares constraints and roles as sets, which the API says they are.
func samePlacement(a, b *App) bool {
	return a.Role == b.Role && sameSet(a.Constraints, b.Constraints) &&
		sameSet(a.AcceptedResourceRoles, b.AcceptedResourceRoles)
}

// sameSet compares two lists without repetitions.
func sameSet[T comparable](a, b []T) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(item T) bool { return !slices.Contains(b, item) })
}

func sameStrategy(a, b *App) bool {
	return a.Backoff == b.Backoff && a.BackoffFactor == b.BackoffFactor && a.MaxLaunchDelay == b.MaxLaunchDelay &&
		sameDuration(a, b) && a.UpgradeStrategy == b.UpgradeStrategy &&
		a.UnreachableStrategy == b.UnreachableStrategy && a.KillSelection == b.KillSelection
}

func sameDuration(a, b *App) bool {
	x, y := a.TaskKillGracePeriod, b.TaskKillGracePeriod
	return x == y || x != nil && y != nil && *x == *y
}

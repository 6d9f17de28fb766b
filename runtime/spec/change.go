package spec

import (
	"bytes"
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

// Compare classifies the change from old to new. Versions do not count, nor does
// what has no effect on a running instance: the executor's resources and the
// residency. A map or list that is nil and one that is empty are the same, since
// the API does not tell them apart.
func Compare(old, new *App) Change {
	switch {
	case !sameCommand(old, new) || !sameResources(old, new) || !sameRuntime(old, new) ||
		!samePlacement(old, new) || !sameStrategy(old, new):
		return Reconfigured
	case old.Instances != new.Instances:
		return Scaled
	default:
		return Unchanged
	}
}

// same tells whether two definitions differ in nothing but their versions.
func same(a, b *App) bool {
	return Compare(a, b) == Unchanged && samePointed(a.ExecutorResources, b.ExecutorResources) &&
		samePointed(a.Residency, b.Residency)
}

func sameCommand(a, b *App) bool {
	return a.Cmd == b.Cmd && slices.Equal(a.Args, b.Args) && a.User == b.User && a.Executor == b.Executor &&
		maps.Equal(a.Env, b.Env) && maps.Equal(a.EnvSecrets, b.EnvSecrets) && maps.Equal(a.Labels, b.Labels) &&
		samePointed(a.TTY, b.TTY)
}

func sameResources(a, b *App) bool {
	return a.CPUs == b.CPUs && a.Mem == b.Mem && a.Disk == b.Disk && a.GPUs == b.GPUs && a.RequirePorts == b.RequirePorts &&
		sameList(a.PortDefinitions, b.PortDefinitions, appendPortDefinition) &&
		bytes.Equal(appendLimits(nil, a.ResourceLimits), appendLimits(nil, b.ResourceLimits))
}

// sameRuntime compares what is nested by its JSON, which is the same for what is
// the same.
func sameRuntime(a, b *App) bool {
	return sameList(a.Fetch, b.Fetch, appendArtifact) && maps.Equal(a.Secrets, b.Secrets) &&
		bytes.Equal(appendContainer(nil, a.Container), appendContainer(nil, b.Container)) &&
		(a.plainHost() && b.plainHost() || sameList(a.Networks, b.Networks, appendNetwork)) &&
		sameSet(texts(a.HealthChecks, appendHealthCheck), texts(b.HealthChecks, appendHealthCheck)) &&
		bytes.Equal(appendCheck(nil, a.Check), appendCheck(nil, b.Check)) &&
		sameList(a.ReadinessChecks, b.ReadinessChecks, appendReadinessCheck)
}

// samePlacement compares as sets what the API says are sets.
func samePlacement(a, b *App) bool {
	return a.Role == b.Role && sameSet(a.Dependencies, b.Dependencies) && sameSet(a.Constraints, b.Constraints) &&
		sameSet(a.AcceptedResourceRoles, b.AcceptedResourceRoles)
}

func sameStrategy(a, b *App) bool {
	return a.Backoff == b.Backoff && a.BackoffFactor == b.BackoffFactor && a.MaxLaunchDelay == b.MaxLaunchDelay &&
		samePointed(a.TaskKillGracePeriod, b.TaskKillGracePeriod) && a.UpgradeStrategy == b.UpgradeStrategy &&
		a.UnreachableStrategy == b.UnreachableStrategy && a.KillSelection == b.KillSelection
}

// sameSet compares two lists regardless of order and repetitions.
func sameSet[T comparable](a, b []T) bool {
	if slices.Equal(a, b) {
		return true
	}
	in := make(map[T]bool, len(a))
	for _, item := range a {
		in[item] = true
	}
	both := make(map[T]bool, len(b))
	for _, item := range b {
		if !in[item] {
			return false
		}
		both[item] = true
	}
	return len(in) == len(both)
}

func sameList[T any](a, b []T, encode func([]byte, *T) []byte) bool {
	return len(a) == len(b) && slices.Equal(texts(a, encode), texts(b, encode))
}

// texts encodes each item.
func texts[T any](items []T, encode func([]byte, *T) []byte) []string {
	list := make([]string, len(items))
	for i := range items {
		list[i] = string(encode(nil, &items[i]))
	}
	return list
}

func samePointed[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

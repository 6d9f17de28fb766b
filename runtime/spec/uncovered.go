package spec

import "slices"

// Uncovered returns the API's names of those fields that ask for something which
// this version does not carry out when it launches a task. To start a task
// without it would be to start something else than what was asked for, so such
// an app has to wait. The result is nil for apps that can be launched as they are.
func (a *App) Uncovered() []string {
	var names []string
	for _, field := range []struct {
		name string
		asks bool
	}{
		// A check of Mesos has no scheme: it is always plain HTTP.
		{"check", a.Check != nil && a.Check.HTTP != nil && a.Check.HTTP.Scheme == "HTTPS"},
		{"container", a.Container != nil && a.Container.uncovered()},
		// The Docker containerizer would set such a variable to nothing.
		{"env", len(a.EnvSecrets) > 0 && a.Container != nil && a.Container.Type == DockerContainer},
	} {
		if field.asks {
			names = append(names, field.name)
		}
	}
	return names
}

// uncovered tells whether the containerizer would silently leave out something:
// Docker's mounts no volumes but those of the host and of Docker's own drivers,
// Mesos' own runs nothing privileged.
func (c *Container) uncovered() bool {
	if c.Type == MesosContainer {
		return c.Docker != nil && c.Docker.Privileged
	}
	return slices.ContainsFunc(c.Volumes, func(v Volume) bool {
		return v.Secret != nil || v.External != nil && v.External.Provider == providerCSI
	})
}

package spec

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
		{"check", a.Check != nil},
		{"container", a.Container != nil && !a.Container.onlyPersistent()},
		{"env", len(a.EnvSecrets) > 0},
		{"executor", a.Executor != "" && a.Executor != "//cmd"},
		{"executorResources", a.ExecutorResources != nil},
		{"fetch", len(a.Fetch) > 0},
		{"healthChecks", len(a.HealthChecks) > 0},
		{"networks", !a.plainHost()},
		{"readinessChecks", len(a.ReadinessChecks) > 0},
		{"resourceLimits", a.ResourceLimits != nil},
		{"secrets", len(a.Secrets) > 0},
		{"tty", a.TTY != nil && *a.TTY},
	} {
		if field.asks {
			names = append(names, field.name)
		}
	}
	return names
}

// plainHost tells whether the app asks for nothing but the host's network.
func (a *App) plainHost() bool {
	switch len(a.Networks) {
	case 0:
		return true
	case 1:
		n := a.Networks[0]
		return n.Mode == HostNetwork && n.Name == "" && len(n.Labels) == 0
	default:
		return false
	}
}

// onlyPersistent tells whether the container is nothing but persistent volumes:
// these are resources of the task, and need no container.
func (c *Container) onlyPersistent() bool {
	if c.Type != MesosContainer || c.Docker != nil || c.LinuxInfo != nil || len(c.PortMappings) > 0 {
		return false
	}
	for i := range c.Volumes {
		if c.Volumes[i].Persistent == nil {
			return false
		}
	}
	return len(c.Volumes) > 0
}

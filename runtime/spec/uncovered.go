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
		{"check", a.Check != nil},
		{"container", a.Container != nil},
		{"env", len(a.EnvSecrets) > 0},
		{"executor", a.Executor != "" && a.Executor != "//cmd"},
		{"executorResources", a.ExecutorResources != nil},
		{"fetch", len(a.Fetch) > 0},
		{"healthChecks", slices.ContainsFunc(a.HealthChecks, func(c HealthCheck) bool { return c.Protocol.ByMesos() })},
		{"networks", !a.plainHost()},
		{"residency", a.Resident()},
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

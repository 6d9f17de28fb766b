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
		{"container", a.Container != nil},
		{"env", len(a.EnvSecrets) > 0},
		{"executor", a.Executor != "" && a.Executor != "//cmd"},
		{"executorResources", a.ExecutorResources != nil},
		{"fetch", len(a.Fetch) > 0},
		{"healthChecks", len(a.HealthChecks) > 0},
		{"networks", !a.plainHost()},
		{"readinessChecks", len(a.ReadinessChecks) > 0},
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

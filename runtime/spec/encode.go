package spec

import (
	"maps"
	"slices"
	"strconv"
)

// MarshalJSON returns the app as the API shows it, with its version info.
func (a *App) MarshalJSON() ([]byte, error) {
	return append(a.AppendFields(append(make([]byte, 0, 1024), '{'), true), '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, versions included. It is for
// stored apps: absent fields get their defaults, and text is taken as it is, so
// that a rule made later keeps nobody from reading what an earlier version took.
func (a *App) UnmarshalJSON(data []byte) error {
	r := newReading()
	r.stored = true
	u, err := r.parse(data, Whole, false)
	if err != nil {
		return err
	}
	*a = *u.App(*u.ID, "", Settings{})
	replace(&a.Version, u.Version)
	if u.VersionInfo != nil {
		a.LastScalingAt, a.LastConfigChangeAt = u.VersionInfo.LastScalingAt, u.VersionInfo.LastConfigChangeAt
	}
	return nil
}

// AppendFields appends the members of the app's JSON object without the braces,
// for callers that add members of their own. Equal apps have equal bytes. The
// version info is left out on demand, and when nothing has set it.
func (a *App) AppendFields(b []byte, withVersionInfo bool) []byte {
	b = AppendText(append(b, `"id":`...), string(a.ID))
	b = a.appendCommand(b)
	b = a.appendResources(b)
	b = a.appendRuntime(b)
	b = a.appendPlacement(b)
	b = a.appendPorts(b)
	b = a.appendTiming(b)
	if a.Version != 0 {
		b = appendTime(append(b, `,"version":`...), a.Version)
	}
	if withVersionInfo && a.LastConfigChangeAt != 0 {
		b = appendTime(append(b, `,"versionInfo":{"lastScalingAt":`...), a.LastScalingAt)
		b = appendTime(append(b, `,"lastConfigChangeAt":`...), a.LastConfigChangeAt)
		b = append(b, '}')
	}
	return b
}

// appendCommand leaves out what is empty but for the executor and the labels,
// which clients read without asking.
func (a *App) appendCommand(b []byte) []byte {
	b = AppendText(append(b, `,"executor":`...), a.Executor)
	b = appendOptional(b, `,"cmd":`, a.Cmd)
	if len(a.Args) > 0 {
		b = AppendTexts(append(b, `,"args":`...), a.Args)
	}
	b = appendOptional(b, `,"user":`, a.User)
	b = a.appendEnv(b)
	return appendTextMap(append(b, `,"labels":`...), a.Labels)
}

// appendEnv puts values and references to secrets in one order of names.
func (a *App) appendEnv(b []byte) []byte {
	if len(a.EnvSecrets) == 0 {
		if len(a.Env) == 0 {
			return b
		}
		return appendTextMap(append(b, `,"env":`...), a.Env)
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(a.Env)), maps.Keys(a.EnvSecrets))
	slices.Sort(names)
	b = append(b, `,"env":{`...)
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendText(b, name), ':')
		if secret, ok := a.EnvSecrets[name]; ok {
			b = append(AppendText(append(b, `{"secret":`...), secret), '}')
		} else {
			b = AppendText(b, a.Env[name])
		}
	}
	return append(b, '}')
}

// appendResources prints amounts as doubles, even whole ones: statically typed
// clients take the type from the form.
func (a *App) appendResources(b []byte) []byte {
	b = strconv.AppendInt(append(b, `,"instances":`...), int64(a.Instances), 10)
	b = appendDecimal(b, `,"cpus":`, a.CPUs)
	b = appendDecimal(b, `,"mem":`, a.Mem)
	b = appendDecimal(b, `,"disk":`, a.Disk)
	b = strconv.AppendInt(append(b, `,"gpus":`...), int64(a.GPUs), 10)
	if e := a.ExecutorResources; e != nil {
		b = appendDecimal(b, `,"executorResources":{"cpus":`, e.CPUs)
		b = appendDecimal(b, `,"mem":`, e.Mem)
		b = append(appendDecimal(b, `,"disk":`, e.Disk), '}')
	}
	return appendLimits(b, a.ResourceLimits)
}

func appendLimits(b []byte, l *ResourceLimits) []byte {
	if l == nil {
		return b
	}
	b = append(b, `,"resourceLimits":{`...)
	if l.CPUs != nil {
		b = appendLimit(append(b, `"cpus":`...), l.CPUs)
	}
	if l.Mem != nil {
		b = appendLimit(append(b, pick(l.CPUs == nil, `"mem":`, `,"mem":`)...), l.Mem)
	}
	return append(b, '}')
}

func appendLimit(b []byte, l *Limit) []byte {
	if l.Unlimited {
		return AppendText(b, unlimited)
	}
	return appendNumber(b, l.Value)
}

// appendRuntime appends what a task runs in and what is asked of it.
func (a *App) appendRuntime(b []byte) []byte {
	if a.TTY != nil {
		b = appendBool(b, `,"tty":`, *a.TTY)
	}
	b = appendList(b, `,"fetch":`, a.Fetch, appendArtifact)
	b = appendSecrets(b, a.Secrets)
	b = appendContainer(b, a.Container)
	b = appendList(b, `,"healthChecks":`, a.HealthChecks, appendHealthCheck)
	b = appendCheck(b, a.Check)
	return appendList(b, `,"readinessChecks":`, a.ReadinessChecks, appendReadinessCheck)
}

func (a *App) appendPlacement(b []byte) []byte {
	b = appendList(b, `,"dependencies":`, a.Dependencies, appendPath)
	b = appendList(b, `,"constraints":`, a.Constraints, appendConstraint)
	if len(a.AcceptedResourceRoles) > 0 {
		b = AppendTexts(append(b, `,"acceptedResourceRoles":`...), a.AcceptedResourceRoles)
	}
	b = appendOptional(b, `,"role":`, a.Role)
	if r := a.Residency; r != nil {
		b = strconv.AppendInt(append(b, `,"residency":{"relaunchEscalationTimeoutSeconds":`...), r.RelaunchEscalationTimeoutSeconds, 10)
		b = append(AppendText(append(b, `,"taskLostBehavior":`...), r.TaskLostBehavior), '}')
	}
	return AppendText(append(b, `,"killSelection":`...), a.KillSelection.String())
}

func appendPath(b []byte, id *PathID) []byte { return AppendText(b, string(*id)) }

func appendConstraint(b []byte, c *Constraint) []byte {
	b = AppendText(append(b, '['), c.Field)
	b = AppendText(append(b, ','), c.Operator)
	if c.HasValue {
		b = AppendText(append(b, ','), c.Value)
	}
	return append(b, ']')
}

// appendPorts also says which networks the ports are of: one known proxy reads
// the first network without asking whether there is one. Ports are defined here
// on the host's network, and in the container on others.
func (a *App) appendPorts(b []byte) []byte {
	b = append(b, `,"networks":`...)
	if len(a.Networks) == 0 {
		b = append(b, `[{"mode":"host"}]`...)
	} else {
		b = appendItems(b, a.Networks, appendNetwork)
	}
	if a.hostNetworked() || len(a.PortDefinitions) > 0 {
		b = appendItems(append(b, `,"portDefinitions":`...), a.PortDefinitions, appendPortDefinition)
	}
	return appendBool(b, `,"requirePorts":`, a.RequirePorts)
}

// appendTiming prints whole seconds, the API's only unit.
func (a *App) appendTiming(b []byte) []byte {
	b = appendSeconds(append(b, `,"backoffSeconds":`...), a.Backoff)
	b = appendDecimal(b, `,"backoffFactor":`, a.BackoffFactor)
	b = appendSeconds(append(b, `,"maxLaunchDelaySeconds":`...), a.MaxLaunchDelay)
	if a.TaskKillGracePeriod != nil {
		b = appendSeconds(append(b, `,"taskKillGracePeriodSeconds":`...), *a.TaskKillGracePeriod)
	}
	b = appendDecimal(b, `,"upgradeStrategy":{"minimumHealthCapacity":`, a.UpgradeStrategy.MinimumHealthCapacity)
	b = appendDecimal(b, `,"maximumOverCapacity":`, a.UpgradeStrategy.MaximumOverCapacity)
	if a.UnreachableStrategy.Disabled {
		return append(b, `},"unreachableStrategy":"disabled"`...)
	}
	b = appendSeconds(append(b, `},"unreachableStrategy":{"inactiveAfterSeconds":`...), a.UnreachableStrategy.InactiveAfter)
	b = appendSeconds(append(b, `,"expungeAfterSeconds":`...), a.UnreachableStrategy.ExpungeAfter)
	return append(b, '}')
}

package cluster

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// validate judges a task that is to be launched with the offers at hand. It returns the task's resources, or in words of
// a real master what is wrong; of several faults the first in the order of the checks.
func (x *acceptance) validate(info *mesos.TaskInfo) (resource.Set, string) {
	id := info.TaskID.Value
	if why := checkID(id); why != "" {
		return nil, why
	}
	switch {
	case x.f.tasks[id] != nil:
		return nil, "Task has duplicate ID: " + id
	case x.f.unreachable[id] != nil:
		return nil, "Task reuses the ID of an unreachable task: " + id
	case info.AgentID.Value != x.a.id:
		return nil, fmt.Sprintf("Task uses invalid agent %s while agent %s is expected", info.AgentID.Value, x.a.id)
	}
	for _, check := range []func(*mesos.TaskInfo) string{checkTimes, checkHealth, checkCheck} {
		if why := check(info); why != "" {
			return nil, why
		}
	}
	want, why := x.checkResources(info)
	if why != "" {
		return nil, why
	}
	for _, check := range []func(*mesos.TaskInfo) string{checkCommand, checkContainer, checkLimits, checkExecutor} {
		if why := check(info); why != "" {
			return nil, why
		}
	}
	if !x.pool.Contains(want) {
		return nil, fmt.Sprintf("Total resources %s required by task and its executor is more than available %s",
			want.Text(x.role), x.pool.Text(x.role))
	}
	return want, ""
}

// checkID applies the rules for ids that become names of folders.
func checkID(id string) string {
	switch {
	case id == "":
		return "ID must not be empty"
	case len(id) > 255:
		return "ID must not be greater than 255 characters"
	case id == "." || id == "..":
		return fmt.Sprintf("'%s' is disallowed", id)
	case strings.ContainsFunc(id, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }):
		return fmt.Sprintf("'%s' contains invalid characters", id)
	}
	return ""
}

func checkTimes(info *mesos.TaskInfo) string {
	switch {
	case info.GetKillPolicy().GetGracePeriod().GetNanoseconds() < 0:
		return "Task's 'kill_policy.grace_period' must be non-negative"
	case info.GetMaxCompletionTime().GetNanoseconds() < 0:
		return "Task's `max_completion_time` must be non-negative"
	}
	return ""
}

// checkResources reads the task's resources. A value of 0 is fine and means nothing.
func (x *acceptance) checkResources(info *mesos.TaskInfo) (resource.Set, string) {
	if len(info.Resources) == 0 {
		return nil, "Task uses no resources"
	}
	want, err := resource.FromProto(info.Resources)
	if err != nil {
		return nil, "Task uses invalid resources: " + err.Error()
	}
	for i := range info.Resources {
		// The role may be left out; the master fills in that of the offer.
		if why := checkDisk(&info.Resources[i]); why != "" {
			return nil, "Task uses invalid resources: " + why
		}
		role := info.Resources[i].GetAllocationInfo().GetRole()
		if role != "" && role != x.role {
			return nil, fmt.Sprintf("Task uses invalid resources: The resources are allocated to role '%s' but the offer to '%s'", role, x.role)
		}
	}
	return want, ""
}

// checkCommand judges the variables: an unset value is not an empty one.
func checkCommand(info *mesos.TaskInfo) string {
	for _, v := range info.GetCommand().GetEnvironment().GetVariables() {
		why := ""
		switch v.GetType() {
		case mesos.Environment_Variable_SECRET:
			switch {
			case v.Secret == nil:
				why = "of type 'SECRET' must have a secret set"
			case v.Value != nil:
				why = "of type 'SECRET' must not have a value set"
			}
		default:
			switch {
			case v.Value == nil:
				why = "of type 'VALUE' must have a value set"
			case v.Secret != nil:
				why = "of type 'VALUE' must not have a secret set"
			}
		}
		if why != "" {
			return fmt.Sprintf("Task's `CommandInfo` is invalid: Environment variable '%s' %s", v.Name, why)
		}
	}
	return ""
}

func checkContainer(info *mesos.TaskInfo) string {
	c := info.Container
	if c == nil {
		return ""
	}
	const prefix = "Task's `ContainerInfo` is invalid: "
	if c.GetType() == mesos.ContainerInfo_DOCKER && c.Docker == nil {
		return prefix + "DockerInfo 'docker' is not set for DOCKER typed ContainerInfo"
	}
	for _, p := range c.GetDocker().GetParameters() {
		if p.Key == "name" {
			return prefix + "Parameter in DockerInfo must not be 'name'"
		}
	}
	for _, v := range c.Volumes {
		set := 0
		for _, have := range []bool{v.HostPath != nil, v.Image != nil, v.Source != nil} {
			if have {
				set++
			}
		}
		if set != 1 {
			return prefix + "Only one of them should be set: 'host_path', 'image' and 'source'"
		}
	}
	return ""
}

// checkLimits accepts limits it cannot enforce: nothing is isolated here.
func checkLimits(info *mesos.TaskInfo) string {
	want, err := resource.FromProto(info.Resources)
	if err != nil {
		return err.Error()
	}
	for name, limit := range info.Limits {
		switch {
		case name != "cpus" && name != "mem":
			return fmt.Sprintf("Task contains unsupported resource limit: '%s'", name)
		case limit.Value < want.Amount(name):
			return fmt.Sprintf("The '%s' limit %g is less than the '%s' request %g", name, limit.Value, name, want.Amount(name))
		}
	}
	return ""
}

// checkExecutor also refuses executors of the framework's own: this cluster has no API for them.
func checkExecutor(info *mesos.TaskInfo) string {
	switch {
	case (info.Executor == nil) == (info.Command == nil):
		return "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"
	case info.Executor != nil:
		return "Custom executors are not supported by this cluster"
	}
	return ""
}

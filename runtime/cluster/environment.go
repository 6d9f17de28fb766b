package cluster

import (
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// environment is the complete environment of a command task. Nothing of this process' own is in it; what the task asks
// for comes last and wins. MESOS_TASK_ID is not set: that is left to frameworks.
func environment(r *run) []string {
	dir, addr := r.sandbox(), r.host.url.Address
	endpoint := addr.GetIP() + ":" + itoa(int(addr.Port))
	checkpoint := "0"
	if r.framework.GetCheckpoint() {
		checkpoint = "1"
	}
	vars := [][2]string{
		{"LIBPROCESS_IP", addr.GetIP()},
		{"LIBPROCESS_PORT", "0"},
		{"MESOS_AGENT_ENDPOINT", endpoint},
		{"MESOS_ALLOCATION_ROLE", r.role},
		{"MESOS_CHECKPOINT", checkpoint},
		{"MESOS_DIRECTORY", dir},
		{"MESOS_EXECUTOR_ID", r.id()},
		{"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs"},
		{"MESOS_FRAMEWORK_ID", r.framework.ID.Value},
		{"MESOS_HTTP_COMMAND_EXECUTOR", "0"},
		{"MESOS_RECOVERY_TIMEOUT", "15mins"},
		{"MESOS_SANDBOX", dir},
		{"MESOS_SLAVE_ID", r.host.id},
		{"MESOS_SLAVE_PID", r.host.pid},
		{"MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs"},
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}
	var out []string
	for _, v := range vars {
		out = append(out, v[0]+"="+v[1])
	}
	return withVariables(out, r.task.Command)
}

// withVariables adds the command's own variables to an environment; they win over what is there.
func withVariables(env []string, c *mesos.CommandInfo) []string {
	place := map[string]int{}
	out := append([]string{}, env...)
	for i, entry := range out {
		name, _, _ := strings.Cut(entry, "=")
		place[name] = i
	}
	for _, v := range c.GetEnvironment().GetVariables() {
		if v.GetType() == mesos.Environment_Variable_SECRET {
			continue
		}
		// An entry with a NUL byte cannot exist and would keep the whole task from starting.
		entry := strings.ReplaceAll(v.Name+"="+v.GetValue(), "\x00", "")
		if i, ok := place[v.Name]; ok {
			out[i] = entry
			continue
		}
		place[v.Name] = len(out)
		out = append(out, entry)
	}
	return out
}

package cluster

import (
	"slices"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// unsupported finds what this agent cannot do for a task; nil if it can do all
// that the task asks for. To leave something out without a word would be to run
// something else.
func unsupported(info *mesos.TaskInfo) *launchFault {
	text := unsupportedContainer(info.Container)
	secret := func(v mesos.Environment_Variable) bool { return v.GetType() == mesos.Environment_Variable_SECRET }
	if variables := info.GetCommand().GetEnvironment().GetVariables(); text == "" {
		if i := slices.IndexFunc(variables, secret); i >= 0 {
			text = "Secrets are not supported by this agent (environment variable " + variables[i].Name + ")"
		}
	}
	if text == "" {
		return checkURIs(info)
	}
	return &launchFault{mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED, "Failed to launch container: " + text}
}

// unsupportedContainer is what there is to say of a container; "" for nothing.
func unsupportedContainer(c *mesos.ContainerInfo) string {
	switch {
	case c == nil, c.GetType() == mesos.ContainerInfo_DOCKER: // see dockerSpec for what of these is not
	case c.GetMesos().GetImage() != nil:
		return "Container images are not supported by this agent"
	case slices.ContainsFunc(c.NetworkInfos, func(n mesos.NetworkInfo) bool { return n.Name != nil }):
		return "Container networks are not supported by this agent"
	case c.LinuxInfo != nil:
		return "Isolation by the kernel (linux_info) is not supported by this agent"
	case c.TTYInfo != nil:
		return "Terminals (tty_info) are not supported by this agent"
	}
	return ""
}

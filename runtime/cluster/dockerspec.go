package cluster

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/docker"
)

const (
	// sandboxInside is where a container finds the task's sandbox.
	sandboxInside = "/mnt/mesos/sandbox"
	// dockerGrace is the time between the stop signal and SIGKILL of a container whose task has no kill policy.
	dockerGrace = 5 * time.Second
)

// Labels of our containers, by which they are found again.
const (
	labelWorkDir   = "run.pacer.work-dir"
	labelTask      = "run.pacer.task"
	labelFramework = "run.pacer.framework"
)

// isDocker tells whether a task is a Docker container.
func isDocker(info *mesos.TaskInfo) bool {
	return info.Container != nil && info.Container.GetType() == mesos.ContainerInfo_DOCKER
}

// containerName is the name of a run's container, the same as an agent of Mesos gives it.
func (r *run) containerName() string { return "mesos-" + r.container }

// dockerSpec is what the container of a run is made of. Its error says which option cannot be carried out.
func dockerSpec(r *run, workDir string) (docker.Spec, error) {
	info := r.task.Container.GetDocker()
	s := docker.Spec{
		Name: r.containerName(), Image: info.Image, Privileged: info.GetPrivileged(), StopTimeout: r.dockerGrace(),
		Env: withVariables([]string{
			"MESOS_SANDBOX=" + sandboxInside,
			"MESOS_CONTAINER_NAME=" + r.containerName(),
			"MESOS_ALLOCATION_ROLE=" + r.role,
		}, r.task.Command),
		Labels: map[string]string{labelWorkDir: workDir, labelTask: r.id(), labelFramework: r.framework.ID.Value},
		Binds:  []string{r.sandbox() + ":" + sandboxInside},
	}
	s.Entrypoint, s.Args = dockerCommand(r.task.Command)
	for _, p := range info.Parameters {
		s.Parameters = append(s.Parameters, docker.Parameter{Key: p.Key, Value: p.Value})
	}
	r.limitContainer(&s)
	var err error
	if s.Network, err = dockerNetwork(r.task.Container); err != nil {
		return s, err
	}
	if s.Ports, err = r.dockerPorts(); err != nil {
		return s, err
	}
	volumes, err := r.dockerVolumes()
	if err != nil {
		return s, err
	}
	s.Binds = append(append(s.Binds, volumes...), r.persistentBinds()...)
	return s, s.Check()
}

// dockerCommand is what goes in the place of the image's entry point and command.
func dockerCommand(c *mesos.CommandInfo) (entrypoint, args []string) {
	switch {
	case c == nil:
		return nil, nil
	case c.GetShell():
		return []string{"/bin/sh"}, []string{"-c", c.GetValue()}
	case c.GetValue() != "":
		return nil, append([]string{c.GetValue()}, c.Arguments...)
	default:
		return nil, c.Arguments
	}
}

// limitContainer sets what the task asked for, and its limits where it has any.
func (r *run) limitContainer(s *docker.Spec) {
	const mega = 1 << 20
	s.CPUs, s.Memory = r.resources.Amount("cpus"), int64(r.resources.Amount("mem")*mega)
	if limit, ok := r.task.Limits["cpus"]; ok && limit.Value < 1e6 { // an infinite one is no limit
		s.CPULimit = limit.Value
	}
	if limit, ok := r.task.Limits["mem"]; ok {
		s.MemoryReserved = s.Memory
		s.Memory = 0
		if limit.Value < 1e12 {
			s.Memory = int64(limit.Value * mega)
		}
	}
}

func dockerNetwork(c *mesos.ContainerInfo) (string, error) {
	switch n := c.GetDocker().GetNetwork(); n {
	case mesos.ContainerInfo_DockerInfo_HOST, mesos.ContainerInfo_DockerInfo_BRIDGE, mesos.ContainerInfo_DockerInfo_NONE:
		return strings.ToLower(n.String()), nil
	case mesos.ContainerInfo_DockerInfo_USER:
		if len(c.NetworkInfos) != 1 || c.NetworkInfos[0].GetName() == "" {
			return "", fmt.Errorf("Network mode USER needs the name of one network")
		}
		return c.NetworkInfos[0].GetName(), nil
	default:
		return "", fmt.Errorf("Unsupported Network mode: %s", n)
	}
}

// dockerPorts are the port mappings, each of a host port that the task holds.
func (r *run) dockerPorts() ([]docker.Port, error) {
	mappings := r.task.Container.GetDocker().PortMappings
	if len(mappings) == 0 {
		return nil, nil
	}
	held := r.resources.Numbers("ports")
	if len(held) == 0 {
		return nil, fmt.Errorf("Port mappings require port resources")
	}
	var out []docker.Port
	for _, m := range mappings {
		included := false
		for _, g := range held {
			included = included || g.Begin <= uint64(m.HostPort) && uint64(m.HostPort) <= g.End
		}
		if !included {
			return nil, fmt.Errorf("Port [%d] not included in resources", m.HostPort)
		}
		protocol := strings.ToLower(m.GetProtocol())
		if protocol == "" {
			protocol = "tcp"
		}
		out = append(out, docker.Port{Host: uint16(m.HostPort), Container: uint16(m.ContainerPort), Protocol: protocol})
	}
	return out, nil
}

// dockerVolumes are the task's volumes: paths of the host, relative ones in the sandbox.
func (r *run) dockerVolumes() ([]string, error) {
	var out []string
	for _, v := range r.task.Container.Volumes {
		if v.HostPath == nil || v.Image != nil || v.Source != nil {
			return nil, fmt.Errorf("Volume '%s' has no host path: other kinds are not supported by this agent", v.ContainerPath)
		}
		host, inside := v.GetHostPath(), v.ContainerPath
		switch {
		case !path.IsAbs(host) && !path.IsAbs(inside):
			return nil, fmt.Errorf("Both host_path '%s' and container_path '%s' of a volume are relative", host, inside)
		case !path.IsAbs(host):
			if !filepath.IsLocal(host) {
				return nil, fmt.Errorf("The host_path '%s' of a volume leads out of the sandbox", host)
			}
			host = filepath.Join(r.sandbox(), host)
		case !path.IsAbs(inside):
			inside = path.Join(sandboxInside, inside)
		}
		bind := host + ":" + inside
		if v.GetMode() == mesos.RO {
			bind += ":ro"
		}
		out = append(out, bind)
	}
	return out, nil
}

// dockerGrace is the time between the stop signal and SIGKILL: that of the kill, or else the task's.
func (r *run) dockerGrace() time.Duration {
	for _, policy := range []*mesos.KillPolicy{r.killPolicy, r.task.GetKillPolicy()} {
		if p := policy.GetGracePeriod(); p != nil {
			return time.Duration(p.Nanoseconds)
		}
	}
	return dockerGrace
}

package launch

import (
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/spec"
)

// container is the ContainerInfo of an app version's tasks.
type container struct {
	rest     []byte    // all that is the same for each task
	docker   []byte    // DockerInfo without its ports and the task's label; nil: Mesos' own containerizer
	mappings []mapping // of docker
	networks []network // of Mesos' own
}

// network is a NetworkInfo.
type network struct {
	rest     []byte
	mappings []mapping
}

// mapping makes a port of the container one of the host, for one protocol.
type mapping struct {
	port     int // place in the list of ports
	protocol string
}

// containerOf encodes what the tasks run in; nil for plain processes. A network
// or a terminal of its own makes a container even where none is asked for.
func containerOf(key templateKey) *container {
	app := key.app
	tty := app.TTY != nil && *app.TTY
	c := app.Container
	switch {
	case c == nil && app.OnHost() && !tty:
		return nil
	case c == nil:
		c = &spec.Container{Type: spec.MesosContainer}
	}
	out := &container{}
	if c.Type == spec.DockerContainer {
		out.docker = dockerOf(app, c.Docker)
		if !app.OnHost() {
			out.mappings = mappingsOf(c.PortMappings, "")
		}
		out.rest = appendVarint(nil, 1, uint64(mesos.ContainerInfo_DOCKER))
		out.rest = appendUserNetwork(out.rest, app.Networks)
	} else {
		out.rest = appendVarint(nil, 1, uint64(mesos.ContainerInfo_MESOS))
		out.rest = appendMesos(out.rest, app, c.Docker)
		out.rest = appendLinux(out.rest, c.LinuxInfo)
		out.networks = networksOf(key, c.PortMappings)
	}
	for i := range c.Volumes {
		out.rest = appendVolume(out.rest, app, &c.Volumes[i])
	}
	if tty {
		out.rest = appendText(out.rest, 10, "")
	}
	return out
}

// dockerOf encodes DockerInfo as far as it is the same for all tasks.
func dockerOf(app *spec.App, d *spec.DockerImage) []byte {
	if d == nil {
		d = &spec.DockerImage{}
	}
	b := appendText([]byte{}, 1, d.Image)
	kind := mesos.ContainerInfo_DockerInfo_HOST
	for _, n := range app.Networks {
		switch n.Mode {
		case spec.HostNetwork:
			kind = mesos.ContainerInfo_DockerInfo_HOST
		case spec.BridgeNetwork:
			kind = mesos.ContainerInfo_DockerInfo_BRIDGE
		case spec.ContainerNetwork:
			kind = mesos.ContainerInfo_DockerInfo_USER
		}
	}
	b = appendVarint(b, 2, uint64(kind))
	b = appendTruth(b, 4, d.Privileged)
	for _, p := range d.Parameters {
		b = appendPair(b, 5, p.Key, p.Value)
	}
	return appendTruth(b, 6, d.ForcePullImage)
}

// appendUserNetwork names Docker's own network: that is all Docker is told of it.
func appendUserNetwork(b []byte, networks []spec.Network) []byte {
	for _, n := range networks {
		if n.Mode == spec.ContainerNetwork {
			b, info := openMessage(b, 7)
			return closeMessage(appendText(b, 6, n.Name), info)
		}
	}
	return b
}

// appendMesos appends MesosInfo: an image, or nothing in particular.
func appendMesos(b []byte, app *spec.App, d *spec.DockerImage) []byte {
	b, info := openMessage(b, 5)
	if d != nil {
		var image, docker int
		b, image = openMessage(b, 1)
		b = appendVarint(b, 1, uint64(mesos.Image_DOCKER))
		b, docker = openMessage(b, 3)
		b = appendText(b, 1, d.Image)
		if d.PullConfig != "" {
			b = appendSecret(b, 3, sourceOf(app, d.PullConfig))
		}
		b = closeMessage(b, docker)
		b = closeMessage(appendTruth(b, 4, !d.ForcePullImage), image)
	}
	return closeMessage(b, info)
}

// appendLinux appends LinuxInfo.
func appendLinux(b []byte, l *spec.LinuxInfo) []byte {
	if l == nil {
		return b
	}
	b, info := openMessage(b, 8)
	if s := l.Seccomp; s != nil {
		var seccomp int
		b, seccomp = openMessage(b, 5)
		if s.ProfileName != "" {
			b = appendText(b, 1, s.ProfileName)
		}
		b = closeMessage(appendTruth(b, 2, s.Unconfined), seccomp)
	}
	if ipc := l.IPC; ipc != nil {
		mode := mesos.LinuxInfo_PRIVATE
		if ipc.Mode == "SHARE_PARENT" {
			mode = mesos.LinuxInfo_SHARE_PARENT
		}
		b = appendVarint(b, 6, uint64(mode))
		if ipc.ShmSize != nil {
			b = appendVarint(b, 7, uint64(*ipc.ShmSize))
		}
	}
	return closeMessage(b, info)
}

// defaultBridge is the CNI network of Mesos' containers on the bridge.
const defaultBridge = "mesos-bridge"

// networksOf encodes the networks of a container of Mesos' own. A port is mapped
// on the network that it names; one that names none is on all of them.
func networksOf(key templateKey, mappings []spec.PortMapping) []network {
	var list []network
	for _, n := range key.app.Networks {
		if n.Mode == spec.HostNetwork {
			continue
		}
		name := n.Name
		if n.Mode == spec.BridgeNetwork {
			if name = key.bridge; name == "" {
				name = defaultBridge
			}
		}
		rest := appendLabels(nil, 4, n.Labels)
		rest = appendText(rest, 5, "") // one address, whichever
		rest = appendText(rest, 6, name)
		list = append(list, network{rest, mappingsOf(mappings, n.Name)})
	}
	return list
}

// mappingsOf lists the ports that the host has a part in, on the network of that
// name; "" for the only one. There is one for each protocol: iptables, which maps
// them, knows no lists.
func mappingsOf(ports []spec.PortMapping, name string) []mapping {
	var list []mapping
	for i := range ports {
		p := &ports[i]
		if p.HostPort == nil || name != "" && len(p.NetworkNames) > 0 && p.NetworkNames[0] != name {
			continue
		}
		for protocol := range strings.SplitSeq(p.Protocol, ",") {
			list = append(list, mapping{i, protocol})
		}
	}
	return list
}

// append appends the container of one task; nothing for none.
func (c *container) append(b []byte, field int, task *Task, ports *assigned) []byte {
	if c == nil {
		return b
	}
	b, info := openMessage(b, field)
	b = append(b, c.rest...)
	if c.docker != nil {
		var docker int
		b, docker = openMessage(b, 3)
		b = append(b, c.docker...)
		b = appendMappings(b, 3, c.mappings, ports)
		b = closeMessage(appendPair(b, 5, "label", "MESOS_TASK_ID="+task.ID), docker)
	}
	for i := range c.networks {
		var one int
		b, one = openMessage(b, 7)
		b = append(b, c.networks[i].rest...)
		b = closeMessage(appendMappings(b, 7, c.networks[i].mappings, ports), one)
	}
	return closeMessage(b, info)
}

// appendMappings appends the mappings of the ports that the task has.
func appendMappings(b []byte, field int, list []mapping, ports *assigned) []byte {
	for _, m := range list {
		if m.port >= len(ports.host) {
			break
		}
		var one int
		b, one = openMessage(b, field)
		b = appendVarint(b, 1, uint64(ports.host[m.port]))
		b = appendVarint(b, 2, uint64(ports.inner[m.port]))
		if m.protocol != "" {
			b = appendText(b, 3, m.protocol)
		}
		b = closeMessage(b, one)
	}
	return b
}

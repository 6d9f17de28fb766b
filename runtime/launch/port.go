package launch

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// port is one port of an app, on whichever network it is.
type port struct {
	number   int  // of the definition, or the container's; 0: no certain one
	mapped   bool // of a container that has a network of its own
	name     string
	protocol string // "tcp", "udp" or "udp,tcp"
	labels   map[string]string
	networks []string // names of the container's networks that it is on
}

// portsOf lists the app's ports in their order.
func portsOf(app *spec.App) []port {
	ports := make([]port, app.Ports())
	if app.OnHost() {
		for i, d := range app.PortDefinitions {
			ports[i] = port{number: d.Port, name: d.Name, protocol: d.Protocol, labels: d.Labels}
		}
		return ports
	}
	var all []string
	for _, n := range app.Networks {
		if n.Name != "" {
			all = append(all, n.Name)
		}
	}
	for i := range ports {
		m := &app.Container.PortMappings[i]
		p := port{number: m.ContainerPort, mapped: true, name: m.Name, protocol: m.Protocol, labels: m.Labels, networks: all}
		if len(m.NetworkNames) > 0 {
			p.networks = m.NetworkNames
		}
		ports[i] = p
	}
	return ports
}

// assigned are the ports of one task, in the order of the app's. There may be
// fewer, the last ones then being left out of everything.
type assigned struct {
	host  []uint16 // of the host; 0: none
	inner []uint16 // what the task listens on, in its own network
}

// reachable is the i-th port as others know it: that of the host if there is one.
func (a *assigned) reachable(i int) uint16 {
	if a.host[i] != 0 {
		return a.host[i]
	}
	return a.inner[i]
}

// assign works out the ports of a task. On the host's network they are what the
// task was given. In a container they are as defined; one without a number is
// that of the host, and where there is none either, a number made for the task.
// Room is for the result, to be used until the next call.
func (t *template) assign(room []uint16, task *Task) (assigned, []uint16) {
	hosts := task.Place.Ports
	hosts = hosts[:min(len(hosts), len(t.ports))]
	if !t.mapped {
		return assigned{hosts, hosts}, room
	}
	room = room[:0]
	for i, host := range hosts {
		inner := uint16(t.ports[i].number)
		if inner == 0 {
			inner = host
		}
		room = append(room, inner)
	}
	for i, inner := range room {
		if inner == 0 {
			room[i] = generated(task.ID, hosts, room)
		}
	}
	return assigned{hosts, room}, room
}

// firstGenerated is the lowest number that is made for a port.
const firstGenerated = 1025

// generated makes a port number from 1025 on that is in neither list. It follows
// from the task's id, which has the randomness of its instance in it: whoever asks
// again gets the same number.
func generated(id string, hosts, inner []uint16) uint16 {
	hash := uint32(2166136261) // FNV-1a
	for i := range len(id) {
		hash = (hash ^ uint32(id[i])) * 16777619
	}
	hash ^= hash >> 16 // ids that differ in their end alone stay apart
	hash *= 0x85ebca6b
	hash ^= hash >> 13
	const count = 1<<16 - firstGenerated
	for {
		number := uint16(firstGenerated + hash%count)
		if !slices.Contains(hosts, number) && !slices.Contains(inner, number) {
			return number
		}
		hash++
	}
}

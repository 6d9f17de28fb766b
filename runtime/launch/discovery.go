package launch

import (
	"maps"
	"strings"
)

// Labels that say where the port of an entry can be reached.
const (
	scopeLabel       = "network-scope"
	networkNameLabel = "network-name"
)

// portEntry is one port of the discovery info: one per protocol of a port, and
// for one that only the container has, per network.
type portEntry struct {
	port   int    // place in the list
	onHost []byte // all but the number, for a port of the host
	inside []byte // the same for a port of the container alone; nil: no such entry
}

// entriesOf makes the entries of all ports: "udp,tcp" are two with one number. A
// port of the host is reached by one address, so only the first of its networks
// counts for it.
func entriesOf(ports []port) []portEntry {
	var entries []portEntry
	for i := range ports {
		p := &ports[i]
		for protocol := range strings.SplitSeq(p.protocol, ",") {
			if !p.mapped {
				entries = append(entries, portEntry{port: i, onHost: p.entry(protocol, nil)})
				continue
			}
			onHost := p.entry(protocol, map[string]string{scopeLabel: "host"})
			networks := p.networks
			if len(networks) == 0 {
				networks = []string{""}
			}
			for _, name := range networks {
				scope := map[string]string{scopeLabel: "container"}
				if name != "" {
					scope[networkNameLabel] = name
				}
				entries = append(entries, portEntry{i, onHost, p.entry(protocol, scope)})
				onHost = nil
			}
		}
	}
	return entries
}

// entry encodes a port without its number.
func (p *port) entry(protocol string, scope map[string]string) []byte {
	b := []byte{}
	if p.name != "" {
		b = appendText(b, 2, p.name)
	}
	if protocol != "" {
		b = appendText(b, 3, protocol)
	}
	labels := p.labels
	if scope != nil {
		labels = maps.Clone(labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, scope)
	}
	return appendLabels(b, 5, labels)
}

// appendDiscovery appends TaskInfo.discovery.
func (t *template) appendDiscovery(b []byte, ports *assigned) []byte {
	b, discovery := openMessage(b, 11)
	b = append(b, t.discovery...)
	if len(t.entries) > 0 {
		var list int
		b, list = openMessage(b, 6)
		for i := range t.entries {
			e := &t.entries[i]
			if e.port >= len(ports.host) {
				break
			}
			rest := e.onHost
			if ports.host[e.port] == 0 {
				rest = e.inside
			}
			if rest == nil {
				continue
			}
			var one int
			b, one = openMessage(b, 1)
			b = appendVarint(b, 1, uint64(ports.reachable(e.port)))
			b = closeMessage(append(b, rest...), one)
		}
		b = closeMessage(b, list)
	}
	return closeMessage(b, discovery)
}

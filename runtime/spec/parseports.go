package spec

import "slices"

const maxPort = 65535

// readPorts reads both forms; "ports" becomes definitions without names.
func (u *Update) readPorts(o *object) {
	u.RequirePorts = o.boolean("requirePorts")
	ports, hasPorts := o.ports("ports")
	u.PortDefinitions = o.portDefinitions("portDefinitions")
	switch {
	case !hasPorts:
	case u.PortDefinitions == nil:
		u.PortDefinitions = &[]PortDefinition{}
		for _, port := range ports {
			*u.PortDefinitions = append(*u.PortDefinitions, PortDefinition{Port: port, Protocol: "tcp"})
		}
	case !slices.EqualFunc(ports, *u.PortDefinitions, func(p int, d PortDefinition) bool { return p == d.Port }):
		o.rules.Add(orRoot(o.path), "cannot specify both ports and port definitions")
		return
	}
	if u.PortDefinitions == nil {
		return
	}
	switch {
	case !repeated(*u.PortDefinitions, func(d PortDefinition) (int, bool) { return d.Port, d.Port != 0 }):
	case hasPorts:
		o.rules.Add(orRoot(o.path), "ports must be unique")
	default:
		o.rules.Add(o.path+"/portDefinitions", "Ports must be unique.")
	}
	if repeated(*u.PortDefinitions, func(d PortDefinition) (string, bool) { return d.Name, d.Name != "" }) {
		o.rules.Add(o.path+"/portDefinitions", "Port names must be unique.")
	}
}

// repeated tells whether two items have the same key, among those that have one.
func repeated[T any, K comparable](items []T, key func(T) (K, bool)) bool {
	seen := map[K]bool{}
	for _, item := range items {
		k, ok := key(item)
		if ok && seen[k] {
			return true
		}
		seen[k] = ok
	}
	return false
}

// ports reads the old list of numbers. It is nil and ok when the list is empty.
func (o *object) ports(name string) (ports []int, ok bool) {
	items, path, ok := o.list(name)
	for i, item := range items {
		if port := o.checkInteger(at(path, i), item, maxPort); port != nil {
			ports = append(ports, *port)
		}
	}
	return ports, ok
}

// portDefinitions reads the list; an empty one is not nil, since it says that the
// app wants no port, and none at all that it wants the default one.
func (o *object) portDefinitions(name string) *[]PortDefinition {
	items, path, ok := o.list(name)
	if !ok {
		return nil
	}
	list := make([]PortDefinition, 0, len(items))
	for i, item := range items {
		d := o.object(at(path, i), item)
		port := PortDefinition{Protocol: "tcp"}
		replace(&port.Port, d.integer("port", maxPort))
		replace(&port.Protocol, d.enum("protocol", "tcp", "udp", "udp,tcp"))
		replace(&port.Name, d.text("name", 0))
		if _, given := d.fields["name"].(string); given && !validLabel(port.Name, "-") {
			o.form.Add(d.path+"/name", keyPattern)
		}
		replace(&port.Labels, d.textMap("labels", nil))
		d.finish()
		list = append(list, port)
	}
	return &list
}

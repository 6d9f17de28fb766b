package spec

import "slices"

const maxPort = 65535

// readPorts reads both forms; "ports" becomes definitions without names.
func (u *Update) readPorts(o *object) {
	u.RequirePorts = o.boolean("requirePorts")
	ports, hasPorts := o.ports("ports")
	u.PortDefinitions = o.portDefinitions("portDefinitions")
	both := u.ipAddress && (len(ports) > 0 || u.PortDefinitions != nil && len(*u.PortDefinitions) > 0)
	if both {
		o.rules.Add(orRoot(o.path), "cannot specify both an IP address and port")
	}
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
	if repeated(ports, func(port int) (int, bool) { return port, port != 0 }) {
		o.rules.Add(orRoot(o.path), "ports must be unique")
		u.PortDefinitions = nil // told in the words of the old form, and not again
	}
	if both {
		u.PortDefinitions = nil
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
		if port := o.checkInteger(at(path, i), item, 0, maxPort); port != nil {
			ports = append(ports, *port)
		}
	}
	return ports, ok
}

// portDefinitions reads the list; an empty one is not nil, since it says that the
// app wants no port, and none at all that it wants the default one.
func (o *object) portDefinitions(name string) *[]PortDefinition {
	list := []PortDefinition{}
	ok := o.objects(name, func(d *object) {
		list = append(list, PortDefinition{
			Port: orElse(d.integer("port", maxPort), 0), Protocol: d.protocol(), Name: d.portName(), Labels: d.labels(),
		})
	})
	if !ok {
		return nil
	}
	return &list
}

// portMappings reads the ports of a container. Like portDefinitions it tells an
// empty list from none.
func (o *object) portMappings(name string) *[]PortMapping {
	list := []PortMapping{}
	ok := o.objects(name, func(m *object) {
		list = append(list, PortMapping{
			ContainerPort: orElse(m.integer("containerPort", maxPort), 0), HostPort: m.integer("hostPort", maxPort),
			ServicePort: orElse(m.integer("servicePort", maxPort), 0), Protocol: m.protocol(), Name: m.portName(),
			Labels: m.labels(), NetworkNames: orElse(m.texts("networkNames"), nil),
		})
	})
	if !ok {
		return nil
	}
	return &list
}

// The members that every kind of port has.
func (o *object) protocol() string {
	return orElse(o.enum("protocol", "tcp", "udp", "udp,tcp"), "tcp")
}

func (o *object) portName() string {
	return orElse(o.matching("name", func(s string) bool { return validLabel(s, "-") }), "")
}

func (o *object) labels() map[string]string { return orElse(o.textMap("labels", nil), nil) }

package spec

import (
	"slices"
	"strings"
)

// checkNetworks checks each network and what may stand beside what.
func (a *App) checkNetworks(f *Faults) {
	const path = "/networks"
	var count [ContainerNetwork + 1]int
	unnamed := 0
	for _, n := range a.Networks {
		count[n.Mode]++
		switch {
		case n.Mode == HostNetwork && (n.Name != "" || len(n.Labels) > 0):
			f.Add(path, "Host networks may not have names or labels")
		case n.Mode == BridgeNetwork && n.Name != "":
			f.Add(path, "Bridge networks may not have names")
		case n.Mode == ContainerNetwork && n.Name == "":
			unnamed++
			f.Add(path, "Network name must be specified when container network is selected.")
		}
	}
	if unnamed > 1 || repeated(a.Networks, func(n Network) (string, bool) { return n.Name, n.Name != "" }) {
		f.Add(path, "Duplicate networks are not allowed")
	}
	kinds := 0
	for _, n := range count {
		if n > 0 {
			kinds++
		}
	}
	if kinds > 1 || count[HostNetwork] > 1 || count[BridgeNetwork] > 1 {
		f.Add(path, "May specify a single host network, single bridge network, or else 1-to-n container networks")
	}
	if a.Container != nil && a.Container.Type == DockerContainer && count[ContainerNetwork] > 1 {
		f.Add("/", "may only specify a single container network when using the Docker container engine")
	}
}

// checkPorts checks the ports of whichever network the app is on, and that there
// are none of the other.
func (a *App) checkPorts(f *Faults) {
	const path = "/portDefinitions"
	if repeated(a.PortDefinitions, func(d PortDefinition) (int, bool) { return d.Port, d.Port != 0 }) {
		f.Add(path, "Ports must be unique.")
	}
	if repeated(a.PortDefinitions, func(d PortDefinition) (string, bool) { return d.Name, d.Name != "" }) {
		f.Add(path, messagePortNames)
	}
	if !a.hostNetworked() && len(a.PortDefinitions) > 0 {
		f.Add("/", "portDefinitions are only allowed with host-networking")
	}
	if a.Container == nil {
		return
	}
	if a.hostNetworked() && len(a.Container.PortMappings) > 0 {
		f.Add("/", "portMappings are not allowed with host-networking")
	}
	a.checkPortMappings(f)
}

const messagePortNames = "Port names must be unique."

// checkPortMappings checks which networks ports are on.
func (a *App) checkPortMappings(f *Faults) {
	const path = "/container/portMappings"
	mappings := a.Container.PortMappings
	if repeated(mappings, func(m PortMapping) (string, bool) { return m.Name, m.Name != "" }) {
		f.Add(path, messagePortNames)
	}
	var names []string
	named := map[string]bool{}
	for _, n := range a.Networks {
		if n.Name != "" {
			names = append(names, n.Name)
			named[n.Name] = true
		}
	}
	several := !a.hostNetworked() && !a.bridged() && len(a.Networks) > 1
	wrong := "is not one of (" + short(strings.Join(names, ",")) + ")"
	for i := range mappings {
		m := &mappings[i]
		if several && m.HostPort != nil && len(m.NetworkNames) != 1 {
			f.Add(at(path, i), "networkNames must be a single item list when hostPort is specified "+
				"and more than 1 container network is defined")
		}
		if a.bridged() && m.HostPort == nil {
			f.Add(at(path, i), "hostPort is required for BRIDGE mode.")
		}
		for j, name := range m.NetworkNames {
			if !named[name] {
				f.Add(at(at(path, i)+"/networkNames", j), wrong)
			}
		}
	}
}

// portNames are those that checks may refer to.
func (a *App) portNames() []string {
	var names []string
	if a.Container != nil && a.Container.PortMappings != nil {
		for i := range a.Container.PortMappings {
			names = append(names, a.Container.PortMappings[i].Name)
		}
	} else {
		for i := range a.PortDefinitions {
			names = append(names, a.PortDefinitions[i].Name)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

package spec

import "slices"

// ServicePorts returns the service ports in the order of their definitions: those
// of PortDefinitions on the host's network, of the container's mappings
// otherwise. 0 is a port that is not assigned yet; the list is never nil.
func (a *App) ServicePorts() []int {
	if a.hostNetworked() {
		ports := make([]int, len(a.PortDefinitions))
		for i := range ports {
			ports[i] = a.PortDefinitions[i].Port
		}
		return ports
	}
	if a.Container == nil {
		return []int{}
	}
	ports := make([]int, len(a.Container.PortMappings))
	for i := range ports {
		ports[i] = a.Container.PortMappings[i].ServicePort
	}
	return ports
}

// WithServicePorts returns the app with other service ports, as many as there
// are definitions. The app itself is left alone.
func (a *App) WithServicePorts(ports []int) *App {
	out := *a
	switch {
	case a.hostNetworked():
		out.PortDefinitions = slices.Clone(a.PortDefinitions)
		for i := range out.PortDefinitions {
			out.PortDefinitions[i].Port = ports[i]
		}
	case a.Container != nil:
		c := *a.Container
		c.PortMappings = slices.Clone(c.PortMappings)
		for i := range c.PortMappings {
			c.PortMappings[i].ServicePort = ports[i]
		}
		out.Container = &c
	}
	return &out
}

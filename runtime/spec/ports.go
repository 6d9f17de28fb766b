package spec

// Ports returns how many ports the app has: definitions on the host's network,
// mappings of its container on any other.
func (a *App) Ports() int {
	switch {
	case a.hostNetworked():
		return len(a.PortDefinitions)
	case a.Container == nil:
		return 0
	}
	return len(a.Container.PortMappings)
}

// HostPort tells what the i-th port needs of the host: that very number, or any
// when it is 0. When wanted is false it needs none: the port is the container's
// alone.
func (a *App) HostPort(i int) (number int, wanted bool) {
	if a.hostNetworked() {
		if a.RequirePorts {
			number = a.PortDefinitions[i].Port
		}
		return number, true
	}
	if p := a.Container.PortMappings[i].HostPort; p != nil {
		return *p, true
	}
	return 0, false
}

// CertainPorts tells whether there is a port of the host whose number matters: two
// such instances cannot share an agent.
func (a *App) CertainPorts() bool {
	for i := range a.Ports() {
		if number, _ := a.HostPort(i); number != 0 {
			return true
		}
	}
	return false
}

// OnHost tells whether the app's tasks use the host's network.
func (a *App) OnHost() bool { return a.hostNetworked() }

// ExecutorPath is the program that runs the app's tasks in the place of Mesos'
// command executor; "" for that one.
func (a *App) ExecutorPath() string {
	if a.Executor == "//cmd" {
		return ""
	}
	return a.Executor
}

// plainHost tells whether the app asks for nothing but the host's network.
func (a *App) plainHost() bool {
	switch len(a.Networks) {
	case 0:
		return true
	case 1:
		n := a.Networks[0]
		return n.Mode == HostNetwork && n.Name == "" && len(n.Labels) == 0
	default:
		return false
	}
}

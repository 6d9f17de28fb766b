package spec

import (
	"cmp"
	"slices"
)

// normalise makes the fields of a new definition fit one another. It changes
// nothing that the definition shares with others. What u asks for in so many
// words and contradicts itself in is left for Validate when u is partial; a
// whole app in the old forms may say both, and the network decides.
func (a *App) normalise(u *Update, s Settings, form Form) {
	a.nameNetworks(u, s)
	if a.hostNetworked() {
		a.onHost(u, form)
	} else {
		a.offHost(u, form)
	}
	a.indexHealthChecks()
	switch {
	case !a.Resident():
		a.Residency = nil
	case a.Residency == nil:
		a.Residency = &Residency{RelaunchEscalationTimeoutSeconds: 3600, TaskLostBehavior: "WAIT_FOREVER"}
	}
}

// hostNetworked tells whether the app's ports are the host's. Records of versions
// that knew no other network have none.
func (a *App) hostNetworked() bool {
	return len(a.Networks) == 0 || slices.ContainsFunc(a.Networks, func(n Network) bool { return n.Mode == HostNetwork })
}

// nameNetworks settles what depends on the settings.
func (a *App) nameNetworks(u *Update, s Settings) {
	if len(a.Networks) == 0 {
		a.Networks = []Network{{Mode: HostNetwork}}
	}
	a.Networks = slices.Clone(a.Networks)
	for i := range a.Networks {
		n := &a.Networks[i]
		switch {
		case n.Mode != ContainerNetwork:
		case u.ipAddress && n.Name == s.bridge():
			n.Mode, n.Name = BridgeNetwork, ""
		default:
			n.Name = cmp.Or(n.Name, s.DefaultNetwork)
		}
	}
	if u.ipAddress && a.Container == nil {
		a.Container = &Container{Type: MesosContainer}
	}
}

// onHost gives up the ports of the container.
func (a *App) onHost(u *Update, form Form) {
	if a.PortDefinitions == nil {
		a.PortDefinitions = defaultPorts()
	}
	if a.Container == nil || a.Container.PortMappings == nil {
		return
	}
	contradicts := form == Partial && u.Networks != nil && u.Container != nil && len(u.Container.PortMappings) > 0
	if !contradicts {
		a.Container = new(*a.Container)
		a.Container.PortMappings = nil
	}
}

// offHost makes the ports those of the container: one when nobody has said
// anything, and no fewer than there were definitions of ports.
func (a *App) offHost(u *Update, form Form) {
	c := Container{Type: MesosContainer}
	if a.Container != nil {
		c = *a.Container
	}
	explicit := u.Container != nil && u.Container.PortMappings != nil
	wanted := len(a.PortDefinitions)
	if explicit && u.PortDefinitions == nil {
		wanted = 0 // the definitions are those of before
	}
	if c.PortMappings == nil {
		c.PortMappings = []PortMapping{{Name: "default", Protocol: "tcp"}}
	}
	c.PortMappings = slices.Clone(c.PortMappings)
	for len(c.PortMappings) < wanted {
		c.PortMappings = append(c.PortMappings, PortMapping{Protocol: "tcp"})
	}
	if a.bridged() {
		for i := range c.PortMappings {
			if c.PortMappings[i].HostPort == nil {
				c.PortMappings[i].HostPort = new(0)
			}
		}
	}
	a.Container = &c
	a.RequirePorts = false
	contradicts := form == Partial && u.Networks != nil && u.PortDefinitions != nil && len(*u.PortDefinitions) > 0
	if !contradicts {
		a.PortDefinitions = nil
	}
}

func (a *App) bridged() bool {
	return slices.ContainsFunc(a.Networks, func(n Network) bool { return n.Mode == BridgeNetwork })
}

// indexHealthChecks gives checks that name no port the first one. It may make two
// checks the same, which are one then.
func (a *App) indexHealthChecks() {
	if a.ports() == 0 {
		return
	}
	a.HealthChecks = slices.Clone(a.HealthChecks)
	for i := range a.HealthChecks {
		c := &a.HealthChecks[i]
		if c.Protocol != CheckCommand && c.Port == nil && c.PortIndex == nil {
			c.PortIndex = new(0)
		}
	}
	a.HealthChecks = uniqueFunc(a.HealthChecks, appendHealthCheck)
}

// ports is how many ports there are to refer to.
func (a *App) ports() int {
	if a.Container != nil && a.Container.PortMappings != nil {
		return len(a.Container.PortMappings)
	}
	return len(a.PortDefinitions)
}

// externalVolumes are those that a provider outside Mesos mounts.
func (a *App) externalVolumes() []*ExternalVolume {
	if a.Container == nil {
		return nil
	}
	var list []*ExternalVolume
	for i := range a.Container.Volumes {
		if e := a.Container.Volumes[i].External; e != nil {
			list = append(list, e)
		}
	}
	return list
}

package spec

const maxNetworkName = 63

// readNetworks reads both forms. network is the one of a Docker container in the
// old form, nil when it has none.
func (u *Update) readNetworks(o *object, network *string) {
	networks := []Network{}
	given := o.objects("networks", func(n *object) { networks = append(networks, n.network()) })
	if given {
		u.Networks = &networks
	}
	ip := o.ipAddress()
	u.ipAddress = ip != nil
	if network != nil && len(networks) > 0 {
		o.rules.Add(orRoot(o.path), "must not specify both container.docker.network and networks")
	}
	if ip != nil && len(networks) > 0 {
		o.rules.Add(orRoot(o.path), "must not specify both networks and ipAddress")
	}
	if len(networks) == 0 && (network != nil || ip != nil) {
		u.Networks = new([]Network{o.translated(network, ip)})
	}
	u.readDiscovery(o, ip)
}

func (o *object) network() Network {
	n := Network{}
	switch orElse(o.enum("mode", "container", "container/bridge", "host"), "container") {
	case "container":
		n.Mode = ContainerNetwork
	case "container/bridge":
		n.Mode = BridgeNetwork
	}
	n.Name = o.networkName("name")
	n.Labels = o.labels()
	return n
}

func (o *object) networkName(name string) string {
	s := orElse(o.text(name, 0), "")
	if len(s) > maxNetworkName {
		o.form.Add(o.path+"/"+name, keyMaxLen)
	}
	return orElse(o.matching(name, func(s string) bool { return validLabel(s, "-_") }), "")
}

// ipAddress is the old way to ask for a network.
type ipAddress struct {
	name   string
	labels map[string]string
	ports  []PortMapping
}

func (o *object) ipAddress() *ipAddress {
	var ip *ipAddress
	o.inner("ipAddress", func(i *object) {
		ip = &ipAddress{name: i.networkName("networkName"), labels: i.labels()}
		i.ignore("groups")
		i.inner("discovery", func(d *object) {
			d.objects("ports", func(p *object) {
				p.need("name")
				ip.ports = append(ip.ports, PortMapping{
					ContainerPort: orElse(p.integer("number", maxPort), 0), Name: p.portName(), Protocol: p.protocol(), Labels: p.labels(),
				})
			})
		})
	})
	return ip
}

// translated is the network that the old form asks for. Whether the name of an
// address is that of the bridge is for the settings to say.
func (o *object) translated(network *string, ip *ipAddress) Network {
	n := Network{Mode: ContainerNetwork}
	if ip != nil {
		n.Name, n.Labels = ip.name, ip.labels
	}
	switch {
	case network == nil:
	case *network == "HOST":
		return Network{}
	case *network == "BRIDGE":
		return Network{Mode: BridgeNetwork, Labels: n.Labels}
	case *network == "NONE":
		o.rules.Add(o.path+"/container/docker/network", "unsupported docker network type NONE")
		return Network{}
	}
	return n
}

// readDiscovery makes the ports of an address those of a container, which is an
// empty one when there is none.
func (u *Update) readDiscovery(o *object, ip *ipAddress) {
	if ip == nil || len(ip.ports) == 0 {
		return
	}
	if u.Container == nil {
		u.Container = &Container{Type: MesosContainer}
	}
	switch {
	case u.Container.Type == DockerContainer:
		o.rules.Add(o.path+"/ipAddress", "ipAddress/discovery is not allowed for Docker containers")
	case len(u.Container.PortMappings) > 0:
		o.rules.Add(o.path+"/ipAddress/discovery", "container.portMappings and ipAddress.discovery.ports must not both be set")
	default:
		u.Container.PortMappings = ip.ports
	}
}

package docker

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// Spec is a container that is to be made.
type Spec struct {
	Name       string
	Image      string
	Entrypoint []string // empty means the image's
	Args       []string // empty means the image's
	Env        []string // NAME=value
	Labels     map[string]string
	// Network is "host", "bridge", "none" or the name of a network.
	Network    string
	Ports      []Port
	Binds      []string // as docker's -v: source:target[:ro]
	Privileged bool
	CPUs       float64 // share of time under load; 0 means docker's default
	CPULimit   float64 // a bound at all times; 0 means none
	Memory     int64   // bytes that must not be exceeded; 0 means no bound
	// MemoryReserved is in bytes, what it is held to when memory is short; 0 means Memory.
	MemoryReserved int64
	StopTimeout    time.Duration
	// Parameters are further options of "docker run", without the dashes.
	Parameters []Parameter
}

// Parameter is an option of "docker run".
type Parameter struct{ Key, Value string }

// Port is a port of the container that is reached at one of the host.
type Port struct {
	Host, Container uint16
	Protocol        string // "tcp" or "udp"
}

// minMemory is the least that docker is asked for, as Mesos does.
const minMemory = 32 << 20

// logBytes bounds what docker itself keeps of a container's output; the sandbox has its own bound.
const logBytes = "64m"

// Check finds what cannot be carried out without asking the daemon.
func (s Spec) Check() error {
	_, _, _, err := s.options()
	return err
}

// options is the spec in the API's words.
func (s Spec) options() (*container.Config, *container.HostConfig, *network.NetworkingConfig, error) {
	config := &container.Config{
		Image: s.Image, Entrypoint: s.Entrypoint, Cmd: s.Args, Env: s.Env, Labels: s.Labels, ExposedPorts: network.PortSet{},
	}
	host := &container.HostConfig{
		Binds: s.Binds, Privileged: s.Privileged, NetworkMode: container.NetworkMode(s.Network), PortBindings: network.PortMap{},
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": logBytes, "max-file": "2"}},
	}
	s.limit(&host.Resources)
	for _, p := range s.Ports {
		port, ok := network.PortFrom(p.Container, network.IPProtocol(p.Protocol))
		if !ok {
			return nil, nil, nil, fmt.Errorf("port mapping %d:%d/%s: expected the protocol tcp or udp", p.Host, p.Container, p.Protocol)
		}
		config.ExposedPorts[port] = struct{}{}
		host.PortBindings[port] = append(host.PortBindings[port], network.PortBinding{HostPort: fmt.Sprint(p.Host)})
	}
	if s.StopTimeout > 0 {
		seconds := int((s.StopTimeout + time.Second - 1) / time.Second)
		config.StopTimeout = &seconds
	}
	var ends network.NetworkingConfig
	o := &runOptions{config: config, host: host, ends: &ends}
	for _, p := range s.Parameters {
		if err := o.apply(p); err != nil {
			return nil, nil, nil, err
		}
	}
	return config, host, &ends, nil
}

// limit sets what the container may use, by the formulas of Mesos' docker support (src/docker/docker.cpp): shares of 1,024
// per cpu and 2 at least, a quota over periods of 100 ms.
func (s Spec) limit(r *container.Resources) {
	if s.CPUs > 0 {
		r.CPUShares = max(2, int64(1024*s.CPUs))
	}
	if s.CPULimit > 0 {
		r.CPUPeriod, r.CPUQuota = 100_000, max(1_000, int64(100_000*s.CPULimit))
	}
	if s.Memory > 0 {
		r.Memory = max(minMemory, s.Memory)
	}
	if s.MemoryReserved > 0 {
		r.MemoryReservation = max(minMemory, s.MemoryReserved)
	}
}

// addresses parses IP addresses that parameters give.
func addresses(in []netip.Addr, value string) ([]netip.Addr, error) {
	a, err := netip.ParseAddr(value)
	if err != nil {
		return nil, fmt.Errorf("got '%s', expected an IP address", value)
	}
	return append(in, a), nil
}

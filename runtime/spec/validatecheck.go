package spec

import (
	"fmt"
	"slices"
	"time"
)

const (
	messageHealthPort = "Health check port indices must address an element of the ports array or container port mappings."
	messageCheckPort  = "check port index must address an element of the ports array or container port mappings."
	messageBothPorts  = "must not specify both port and portIndex"
)

// checkHealth checks health checks and the generic check.
func (a *App) checkHealth(f *Faults) {
	docker := a.Container != nil && a.Container.Type == DockerContainer
	byMesos := 0
	for i := range a.HealthChecks {
		c := &a.HealthChecks[i]
		a.checkHealthCheck(f, at("/healthChecks", i), c, docker)
		if c.Protocol.ByMesos() && c.Protocol != CheckCommand {
			byMesos++
		}
	}
	if byMesos > 1 {
		f.Add("/", "AppDefinition can contain at most one Mesos health check")
	}
	if a.Check == nil {
		return
	}
	if docker {
		f.Add("/", "AppDefinition must not use 'checks' if using docker")
	}
	a.checkCheck(f)
}

func (a *App) checkHealthCheck(f *Faults, path string, c *HealthCheck, docker bool) {
	switch {
	case c.Protocol != CheckCommand && c.Command != "":
		f.Add(path, "illegal protocol "+c.Protocol.String()+" specified with command")
	case c.Protocol == CheckCommand && c.Command == "":
		f.Add(path+"/command", messageUndefined)
	case c.Protocol != CheckCommand && c.Port == nil && !a.hasPort(c.PortIndex):
		f.Add(path, messageHealthPort)
	}
	if c.Port != nil && c.PortIndex != nil {
		f.Add(path, messageBothPorts)
	}
	if c.IPv6 && !(docker && c.Protocol.ByMesos() && c.Protocol != CheckCommand) {
		f.Add(path, "IPv6 can only be used for container type DOCKER and Mesos http/https/tcp health checks")
	}
}

// hasPort tells whether there is a port at the place. No place stands for the
// only port.
func (a *App) hasPort(index *int) bool {
	if index == nil {
		return a.ports() == 1
	}
	return *index < a.ports()
}

func (a *App) checkCheck(f *Faults) {
	const path = "/check"
	kinds := 0
	if a.Check.HTTP != nil {
		kinds++
		a.checkCheckPort(f, a.Check.HTTP.CheckPort)
	}
	if a.Check.TCP != nil {
		kinds++
		a.checkCheckPort(f, *a.Check.TCP)
	}
	if a.Check.Exec != nil {
		kinds++
	}
	if kinds != 1 {
		f.Add(path, "Must specify a single type of check, http, tcp, or exec")
	}
}

func (a *App) checkCheckPort(f *Faults, p CheckPort) {
	if p.Port != nil && p.PortIndex != nil {
		f.Add("/check", messageBothPorts)
	}
	if p.Port == nil && !a.hasPort(p.PortIndex) {
		f.Add("/check", messageCheckPort)
	}
}

func (a *App) checkReadiness(f *Faults) {
	if n := len(a.ReadinessChecks); n > 1 {
		f.Add("/readinessChecks/size", got(n, 1))
	}
	names := a.portNames()
	for i := range a.ReadinessChecks {
		c, path := &a.ReadinessChecks[i], at("/readinessChecks", i)
		if !slices.Contains(names, c.PortName) {
			f.Add(path+"/portName", "No port definition reference for portName "+short(c.PortName))
		}
		if c.Timeout >= c.Interval {
			f.Add(path+"/timeoutSeconds", fmt.Sprintf("got %d, expected less than %d", c.Timeout/time.Second, c.Interval/time.Second))
		}
	}
}

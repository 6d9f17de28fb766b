package launch

import (
	"slices"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/spec"
)

// probe is a health check or a check that Mesos runs beside the task.
type probe struct {
	field  int    // of TaskInfo
	rest   []byte // all but the request
	kind   int    // field of the request to a port; 0: none
	port   int    // the port that is asked; 0: that of index
	index  int
	detail []byte // the request without its port
}

// Fields of TaskInfo.
const (
	healthCheckField = 8
	checkField       = 13
)

// probesOf encodes the first health check that is Mesos' to run, of which there
// can be one per task, and the check.
func probesOf(app *spec.App) []probe {
	var list []probe
	if i := slices.IndexFunc(app.HealthChecks, func(c spec.HealthCheck) bool { return c.Protocol.ByMesos() }); i >= 0 {
		list = append(list, healthOf(&app.HealthChecks[i]))
	}
	if app.Check != nil {
		list = append(list, checkOf(app.Check))
	}
	return list
}

// healthOf encodes a health check. Every number is sent: Mesos' own defaults are
// others than those of the API.
func healthOf(c *spec.HealthCheck) probe {
	p := probe{field: healthCheckField}
	p.aim(c.Port, c.PortIndex)
	kind, protocol := mesos.HealthCheck_COMMAND, mesos.IPv4
	if c.IPv6 {
		protocol = mesos.IPv6
	}
	switch c.Protocol {
	case spec.CheckMesosHTTP, spec.CheckMesosHTTPS:
		kind, p.kind = mesos.HealthCheck_HTTP, 1
		p.detail = appendPath(nil, c.Path)
		scheme := "http"
		if c.Protocol == spec.CheckMesosHTTPS {
			scheme = "https"
		}
		p.detail = appendText(p.detail, 3, scheme)
		p.detail = appendVarint(p.detail, 5, uint64(protocol))
	case spec.CheckMesosTCP:
		kind, p.kind = mesos.HealthCheck_TCP, 9
		p.detail = appendVarint(nil, 2, uint64(protocol))
	default:
		p.rest = appendShell(nil, 7, c.Command)
	}
	p.rest = appendVarint(p.rest, 8, uint64(kind))
	p.rest = appendTimes(p.rest, 2, c.Delay, c.Interval, c.Timeout)
	p.rest = appendVarint(p.rest, 5, uint64(c.MaxConsecutiveFailures))
	p.rest = appendDouble(p.rest, 6, c.GracePeriod.Seconds())
	return p
}

// checkOf encodes a check.
func checkOf(c *spec.Check) probe {
	p := probe{field: checkField}
	kind := mesos.CheckInfo_COMMAND
	switch {
	case c.HTTP != nil:
		kind, p.kind = mesos.CheckInfo_HTTP, 3
		p.aim(c.HTTP.Port, c.HTTP.PortIndex)
		p.detail = appendPath(nil, c.HTTP.Path)
	case c.TCP != nil:
		kind, p.kind = mesos.CheckInfo_TCP, 7
		p.aim(c.TCP.Port, c.TCP.PortIndex)
	case c.Exec != nil:
		b, command := openMessage(nil, 2)
		p.rest = closeMessage(appendShell(b, 1, *c.Exec), command)
	}
	p.rest = appendVarint(p.rest, 1, uint64(kind))
	p.rest = appendTimes(p.rest, 4, c.Delay, c.Interval, c.Timeout)
	return p
}

// aim sets the port by number or by its place in the list; no place stands for
// the only port.
func (p *probe) aim(port, index *int) {
	if port != nil {
		p.port = *port
	}
	if index != nil {
		p.index = *index
	}
}

// appendPath appends the path of a request. Mesos takes none without a slash.
func appendPath(b []byte, path string) []byte {
	if path == "" {
		return b
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return appendText(b, 2, path)
}

// appendShell appends a CommandInfo that runs a line of shell.
func appendShell(b []byte, field int, line string) []byte {
	b, command := openMessage(b, field)
	return closeMessage(appendTruth(appendText(b, 3, line), 6, true), command)
}

// appendTimes appends three spans in seconds, in fields one after the other.
func appendTimes(b []byte, field int, spans ...time.Duration) []byte {
	for i, span := range spans {
		b = appendDouble(b, field+i, span.Seconds())
	}
	return b
}

// append appends the probe of one task. It asks the port that the task listens
// on, for it is made in the task's own network.
func (p *probe) append(b []byte, ports *assigned) []byte {
	b, all := openMessage(b, p.field)
	b = append(b, p.rest...)
	if p.kind != 0 {
		port := p.port
		if port == 0 && p.index < len(ports.inner) {
			port = int(ports.inner[p.index])
		}
		var request int
		b, request = openMessage(b, p.kind)
		b = append(b, p.detail...)
		b = closeMessage(appendVarint(b, 1, uint64(port)), request)
	}
	return closeMessage(b, all)
}

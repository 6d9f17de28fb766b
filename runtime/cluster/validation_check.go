package cluster

import (
	"fmt"
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// probeRule is what health checks and checks have in common.
type probeRule struct {
	name    string // "health check" or "check"
	kind    string
	command *mesos.CommandInfo
	http    bool
	path    *string
	scheme  *string
	tcp     bool
	seconds map[string]*float64
}

// checkHealth judges the task's health check. One without a type but with a command counts as a command check.
func checkHealth(info *mesos.TaskInfo) string {
	h := info.HealthCheck
	if h == nil {
		return ""
	}
	p := probeRule{name: "health check", kind: h.Type.String(), command: h.Command, http: h.HTTP != nil, tcp: h.TCP != nil}
	if h.HTTP != nil {
		p.path, p.scheme = h.HTTP.Path, h.HTTP.Scheme
	}
	if h.Type == mesos.HealthCheck_UNKNOWN && h.Command != nil {
		p.kind = "COMMAND"
	}
	p.seconds = map[string]*float64{
		"delay_seconds": h.DelaySeconds, "interval_seconds": h.IntervalSeconds,
		"timeout_seconds": h.TimeoutSeconds, "grace_period_seconds": h.GracePeriodSeconds,
	}
	return p.judge()
}

// checkCheck judges the task's check.
func checkCheck(info *mesos.TaskInfo) string {
	c := info.Check
	if c == nil {
		return ""
	}
	p := probeRule{name: "check", kind: c.Type.String(), http: c.HTTP != nil, tcp: c.TCP != nil}
	if c.Command != nil {
		p.command = &c.Command.Command
	}
	if c.HTTP != nil {
		p.path = c.HTTP.Path
	}
	p.seconds = map[string]*float64{
		"delay_seconds": c.DelaySeconds, "interval_seconds": c.IntervalSeconds, "timeout_seconds": c.TimeoutSeconds,
	}
	return p.judge()
}

func (p probeRule) judge() string {
	if why := p.fault(); why != "" {
		return "Task uses invalid " + p.name + ": " + why
	}
	return ""
}

func (p probeRule) fault() string {
	switch p.kind {
	case "COMMAND":
		if p.command == nil {
			return "Expecting 'command' to be set for COMMAND " + p.name
		}
		if p.command.GetValue() == "" {
			return "Command " + p.name + " must contain a command"
		}
	case "HTTP":
		switch {
		case !p.http:
			return "Expecting 'http' to be set for HTTP " + p.name
		case p.scheme != nil && *p.scheme != "http" && *p.scheme != "https":
			return fmt.Sprintf("Unsupported HTTP %s scheme: '%s'", p.name, *p.scheme)
		case p.path != nil && !strings.HasPrefix(*p.path, "/"):
			return fmt.Sprintf("The path '%s' of HTTP %s must start with '/'", *p.path, p.name)
		}
	case "TCP":
		if !p.tcp {
			return "Expecting 'tcp' to be set for TCP " + p.name
		}
	default:
		return fmt.Sprintf("'%s' is not a valid %s type", p.kind, p.name)
	}
	for _, name := range []string{"delay_seconds", "interval_seconds", "timeout_seconds", "grace_period_seconds"} {
		if v := p.seconds[name]; v != nil && !(*v >= 0) {
			return fmt.Sprintf("Expecting '%s' to be non-negative", name)
		}
	}
	return ""
}

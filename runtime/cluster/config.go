package cluster

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/cluster/fetcher"
	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// ExecutorKind says what becomes of a launched task.
type ExecutorKind int

// The kinds of executors.
const (
	// Process runs each task as a process below an executor process that outlives the cluster.
	Process ExecutorKind = iota
	// Fake acts tasks out in memory: states, delays and ends without any process. Nothing survives a restart.
	Fake
)

// String is the name of the kind.
func (k ExecutorKind) String() string { return [...]string{"process", "fake"}[k] }

// DockerOff keeps agents from running containers.
const DockerOff = "off"

// Config describes a cluster. Zero values of the durations and limits mean the default named with them.
type Config struct {
	Listen   string // host:port of the master's HTTP server; empty = 127.0.0.1:0
	Hostname string // name of the master as announced; empty = the address listened on
	Region   string // the master's own fault domain; empty = none, and every agent counts as local
	Zone     string
	WorkDir  string // state and sandboxes of the agents; required for Process, unused for Fake
	Agents   []AgentConfig

	AllocationInterval time.Duration // 1 s
	HeartbeatInterval  time.Duration // 15 s
	AgentPingTimeout   time.Duration // 75 s; time from the loss of an agent to TASK_UNREACHABLE
	// AgentReregisterTimeout is how long a master waits, after a failover, for the agents of the one before; 10 min.
	AgentReregisterTimeout time.Duration

	OfferTimeout time.Duration // 0 = offers do not expire
	StatusRetry  time.Duration // 10 s; first repetition of an unacknowledged update, then doubled up to 10 min
	KillGrace    time.Duration // 3 s; for tasks without a kill policy

	// LogBytes bounds stdout and stderr of a task: beyond it they go to stdout.1 and stderr.1. 0 = 64 MiB, negative = never.
	LogBytes int64
	// SandboxAge is how long the sandbox of a task that ended is kept while the disk is nearly empty; less with a fuller
	// one, and no time at all when less than a tenth of it is free. 0 = a week.
	SandboxAge time.Duration

	MaxRecord   int // bytes; OFFERS events are split below it; 0 = 3 MiB, negative = never split
	StreamQueue int // events that may wait for a slow subscriber before its stream is dropped; 0 = 65536

	Register        Registrar    // nil = the master is announced nowhere
	Executor        ExecutorKind // Process unless set
	ExecutorCommand []string     // argv prefix that runs ExecutorMain; required for Process
	// Docker is the daemon that runs containers, as in DOCKER_HOST; empty = that of the environment, if there is one;
	// DockerOff = none.
	Docker string
	// Fetch is how the URIs of tasks get into sandboxes. An empty cache dir means "fetch" in the work dir. Fake tasks
	// fetch nothing.
	Fetch fetcher.Config
	Act   Act          // behaviour of fake tasks; nil = by their labels (see Act)
	Log   *slog.Logger // nil = silent
}

// AgentConfig describes one agent.
type AgentConfig struct {
	Hostname   string // empty = the host part of Config.Listen; need not be unique
	Attributes string // as rack_id:rack-1;zone:a, see ParseAttributes
	Resources  string // as cpus:4;mem:4096;disk:10000;ports:[31000-31999], name(role):… for a static reservation
	Region     string // fault domain; empty = none
	Zone       string
}

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return c, fmt.Errorf("cluster: listen: %w", err)
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"allocation interval", &c.AllocationInterval, time.Second},
		{"heartbeat interval", &c.HeartbeatInterval, 15 * time.Second},
		{"agent ping timeout", &c.AgentPingTimeout, 75 * time.Second},
		{"agent reregister timeout", &c.AgentReregisterTimeout, 10 * time.Minute},
		{"offer timeout", &c.OfferTimeout, 0},
		{"status retry", &c.StatusRetry, 10 * time.Second},
		{"kill grace", &c.KillGrace, 3 * time.Second},
		{"sandbox age", &c.SandboxAge, 7 * 24 * time.Hour},
	} {
		if *d.value < 0 {
			return c, fmt.Errorf("cluster: %s is %v, expected a positive duration", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if c.LogBytes == 0 {
		c.LogBytes = 64 << 20
	}
	if c.MaxRecord == 0 {
		c.MaxRecord = 3 << 20
	}
	if c.StreamQueue <= 0 {
		c.StreamQueue = 65536
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Act == nil {
		c.Act = actByLabels
	}
	return c, c.checkExecutor()
}

// checkExecutor makes the work dir, so that a fault there shows at the start and not with the first task.
func (c Config) checkExecutor() error {
	switch {
	case c.Executor == Fake:
		return nil
	case len(c.ExecutorCommand) == 0:
		return fmt.Errorf("cluster: executor command is empty, expected the argv prefix of the executor process")
	case c.WorkDir == "":
		return fmt.Errorf("cluster: work dir is empty, expected a folder for sandboxes")
	}
	if err := os.MkdirAll(c.WorkDir, 0o755); err != nil {
		return fmt.Errorf("cluster: work dir: %w", err)
	}
	return nil
}

// hostSpec is a checked AgentConfig.
type hostSpec struct {
	hostname   string
	attributes []Attribute
	total      resource.Set
	region     string
	zone       string
}

// parse checks the agent's texts; fallback is the host name used when there is none.
func (a AgentConfig) parse(fallback string) (hostSpec, error) {
	spec := hostSpec{hostname: a.Hostname, region: a.Region, zone: a.Zone}
	if spec.hostname == "" {
		spec.hostname = fallback
	}
	if strings.ContainsAny(spec.hostname, " /\t\n") {
		return spec, fmt.Errorf("hostname %q: expected a name without blanks and slashes", spec.hostname)
	}
	if (a.Region == "") != (a.Zone == "") {
		return spec, fmt.Errorf("region %q, zone %q: expected both or none", a.Region, a.Zone)
	}
	var err error
	if spec.attributes, err = ParseAttributes(a.Attributes); err != nil {
		return spec, err
	}
	if spec.total, err = resource.Parse(a.Resources, ""); err != nil {
		return spec, err
	}
	if len(spec.total) == 0 {
		return spec, fmt.Errorf("resources %q: expected at least one, as cpus:4;mem:4096", a.Resources)
	}
	return spec, nil
}

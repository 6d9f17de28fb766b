package spec

import "time"

// CheckProtocol is how a health check asks, and who does.
type CheckProtocol uint8

const (
	CheckHTTP CheckProtocol = iota // this and the next two: run by the leader
	CheckHTTPS
	CheckTCP
	CheckCommand // this and those below: run by Mesos, on the agent
	CheckMesosHTTP
	CheckMesosHTTPS
	CheckMesosTCP
)

// String returns the name of the API.
func (p CheckProtocol) String() string {
	return [...]string{"HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"}[p]
}

// ByMesos tells whether Mesos runs checks of the protocol.
func (p CheckProtocol) ByMesos() bool { return p >= CheckCommand }

// HealthCheck is one health check of an app. Of Port and PortIndex at most one
// is set.
type HealthCheck struct {
	Protocol               CheckProtocol
	Path                   string // "" means "/"
	Port                   *int
	PortIndex              *int
	Command                string // of CheckCommand
	GracePeriod            time.Duration
	Interval               time.Duration
	Timeout                time.Duration
	MaxConsecutiveFailures int // 0: the leader never kills; Mesos does at the first failure
	Delay                  time.Duration
	IgnoreHTTP1xx          bool
	IPv6                   bool
}

// Check is a generic check, run by Mesos, whose results are only shown. Exactly
// one of HTTP, TCP and Exec is set.
type Check struct {
	HTTP     *CheckHTTPRequest
	TCP      *CheckPort
	Exec     *string // run by /bin/sh -c
	Interval time.Duration
	Timeout  time.Duration
	Delay    time.Duration
}

// CheckPort is a port by its number or its place. At most one is set.
type CheckPort struct{ Port, PortIndex *int }

// CheckHTTPRequest is the request of a generic check.
type CheckHTTPRequest struct {
	CheckPort
	Path   string
	Scheme string // "HTTP" or "HTTPS"
}

// ReadinessCheck delays deployments until an instance says that it is ready.
type ReadinessCheck struct {
	Name                 string
	HTTPS                bool
	Path                 string
	PortName             string
	Interval             time.Duration
	Timeout              time.Duration
	StatusCodes          []int
	PreserveLastResponse bool
}

package health

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Key names one check of one instance.
type Key struct {
	Instance string // its id; another incarnation of it is another one
	Check    int    // index of the app's health check, or ReadinessCheck
}

// ReadinessCheck is the Key.Check of an instance's readiness check.
const ReadinessCheck = -1

// Target is a check that is to be made of an instance, again and again.
type Target struct {
	Key     Key
	App     spec.PathID    // comes back in results
	Version spec.Timestamp // of the app; comes back in results
	// Protocol is CheckHTTP, CheckHTTPS or CheckTCP. Others are Mesos' to make:
	// targets with them are left out.
	Protocol spec.CheckProtocol
	Host     string // name or IP address, an IPv6 one without brackets; "" fails every probe
	Port     int
	Path     string        // with its query; "" means "/"
	Interval time.Duration // from one probe to the next; below MinInterval it is MinInterval
	Timeout  time.Duration // of one probe; 0 or less means DefaultTimeout
	// IgnoreHTTP1xx: a probe that got no more than an informational answer has found
	// nothing, and gives no result.
	IgnoreHTTP1xx bool
	Readiness     *Readiness // nil: a health check
}

// Readiness is what is different with a readiness check: its probes end with the
// first one that finds the instance ready, the next begins an interval after the
// end of the one before, and the statuses that are good are listed.
type Readiness struct {
	StatusCodes          []int
	PreserveLastResponse bool // give the answer with the result
}

// Limits of what a target may ask.
const (
	MinInterval    = 10 * time.Millisecond
	DefaultTimeout = 20 * time.Second
)

// equal tells whether nothing about the probes is different.
func (t *Target) equal(o *Target) bool {
	a, b := *t, *o
	a.Readiness, b.Readiness = nil, nil
	if a != b || (t.Readiness == nil) != (o.Readiness == nil) {
		return false
	}
	return t.Readiness == nil ||
		t.Readiness.PreserveLastResponse == o.Readiness.PreserveLastResponse && slices.Equal(t.Readiness.StatusCodes, o.Readiness.StatusCodes)
}

// probe is a target made ready for being asked. It does not change.
type probe struct {
	Target
	address string   // for a connection
	url     *url.URL // nil for TCP
	fault   string   // why there is nothing to ask; "" when there is
}

// normal is the target with its limits applied.
func (t Target) normal() Target {
	t.Interval = max(t.Interval, MinInterval)
	if t.Timeout <= 0 {
		t.Timeout = DefaultTimeout
	}
	return t
}

// newProbe takes a target that is normal.
func newProbe(t Target) *probe {
	if t.Readiness != nil {
		t.Readiness = &Readiness{slices.Clone(t.Readiness.StatusCodes), t.Readiness.PreserveLastResponse}
	}
	p := &probe{Target: t, address: net.JoinHostPort(t.Host, strconv.Itoa(t.Port))}
	switch {
	case t.Host == "": // a dial would take it for this machine
		p.fault = "the address of the instance is not known"
	case t.Port < 1 || t.Port > 65535:
		p.fault = fmt.Sprintf("the instance has no port to ask: %d", t.Port)
	case t.Protocol != spec.CheckTCP:
		p.parse()
	}
	return p
}

// parse makes the URL. The port that its scheme implies is left out, as clients
// do: the Host header says what users expect of it.
func (p *probe) parse() {
	scheme, implied := "http://", ":80"
	if p.Protocol == spec.CheckHTTPS {
		scheme, implied = "https://", ":443"
	}
	path := p.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u, err := url.Parse(scheme + strings.TrimSuffix(p.address, implied) + path)
	if err != nil {
		p.fault = fmt.Sprintf("the path %q is not one: %v", p.Path, err)
		return
	}
	p.url = u
}

// good tells whether an HTTP status is what the check wants.
func (p *probe) good(status int) bool {
	if p.Readiness != nil {
		return slices.Contains(p.Readiness.StatusCodes, status)
	}
	return status >= 200 && status < 400
}

// sameRhythm tells whether the times of one target's probes suit the other's.
func (p *probe) sameRhythm(o *probe) bool {
	return p.Interval == o.Interval && (p.Readiness == nil) == (o.Readiness == nil)
}

package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Findings are what the checks of an instance's task have found. A value is never
// changed.
type Findings struct {
	Health    []CheckHealth // in the order of the version's health checks
	Readiness *Readiness    // nil: nothing is known of it
	Check     CheckResult   // not kept by a change of leader: Mesos tells it again
}

// CheckHealth is what one health check has found, and what the health rule makes of
// it.
type CheckHealth struct {
	sdk.HealthRecord
	State  sdk.HealthState
	Reason string // why it is not healthy, by the rule; may be ""
}

// Readiness is the latest result of an instance's readiness check. It lasts no longer
// than the term of its leader.
type Readiness struct {
	Name     string // of the check
	Ready    bool   // final for the task
	Response *ReadinessResponse
}

// ReadinessResponse is the answer to a readiness check that preserves it.
type ReadinessResponse struct {
	Status      int
	ContentType string
	Body        string
}

// HealthObserved brings what probes of health checks found. What is of instances, or
// incarnations of them, that are not there any more is ignored.
type HealthObserved struct{ Results []HealthObservation }

// HealthObservation is the result of one probe.
type HealthObservation struct {
	TaskID string
	Check  int // index of the version's health check
	sdk.HealthResult
}

// ReadinessObserved brings what probes of readiness checks found.
type ReadinessObserved struct{ Results []ReadinessObservation }

// ReadinessObservation is the result of one probe.
type ReadinessObservation struct {
	TaskID   string
	Ready    bool
	Response *ReadinessResponse // nil unless the check preserves it
}

// HealthAsk asks the health rule of an app version about some of its instances. Its
// answer is a HealthJudged with the same number.
type HealthAsk struct {
	Number    uint64
	App       *spec.App // the version that launched the instances
	Histories []sdk.HealthHistory
}

// HealthJudged is the answer to a HealthAsk.
type HealthJudged struct {
	Number   uint64
	App      spec.PathID
	Verdicts []sdk.HealthVerdict // one for each history
	// Fault is why the rule gave no answer; "" when it did. Verdicts beside it are
	// those of another rule that judges meanwhile; without any, every one stays as it
	// was then, nothing is replaced, and the rule is asked again later.
	Fault string
	// Failed is the fault of a module that Fault is about; nil where none is known.
	Failed *sdk.Fault
}

func (HealthObserved) event()    {}
func (ReadinessObserved) event() {}
func (HealthJudged) event()      {}

// HealthCheckAdded: a health check of an app version is made from now on.
type HealthCheckAdded struct {
	At    spec.Timestamp
	App   *spec.App
	Check *spec.HealthCheck
}

// HealthCheckRemoved: a health check of an app is made no more.
type HealthCheckRemoved struct {
	At  spec.Timestamp
	App spec.PathID
}

// HealthCheckFailed: a probe of the leader found an instance not to be alive.
type HealthCheckFailed struct {
	At       spec.Timestamp
	Instance *Instance
	Check    *spec.HealthCheck
}

// AliveChanged: whether an instance is alive by one of the leader's checks changed.
type AliveChanged struct {
	At       spec.Timestamp
	Instance *Instance
	Alive    bool
}

// UnhealthyKilled: an instance is killed because of its health, and replaced.
type UnhealthyKilled struct {
	At       spec.Timestamp
	Instance *Instance
	Reason   string
}

func (HealthCheckAdded) notice()   {}
func (HealthCheckRemoved) notice() {}
func (HealthCheckFailed) notice()  {}
func (AliveChanged) notice()       {}
func (UnhealthyKilled) notice()    {}

// HealthChecksOf is what a health rule is told of an app's checks.
func HealthChecksOf(app *spec.App) []sdk.HealthCheck {
	checks := make([]sdk.HealthCheck, len(app.HealthChecks))
	for i := range app.HealthChecks {
		checks[i] = healthCheckOf(&app.HealthChecks[i])
	}
	return checks
}

func healthCheckOf(c *spec.HealthCheck) sdk.HealthCheck {
	return sdk.HealthCheck{
		Protocol: c.Protocol.String(), IntervalMillis: uint64(c.Interval.Milliseconds()), TimeoutMillis: uint64(c.Timeout.Milliseconds()),
		GraceMillis: uint64(c.GracePeriod.Milliseconds()), MaxConsecutiveFailures: uint32(c.MaxConsecutiveFailures), ByMesos: c.Protocol.ByMesos(),
	}
}

// versionOf is the version that launched an instance; the latest one when it is not
// kept any more.
func (s *Scheduler) versionOf(m *member, i *Instance) *spec.App {
	if i.Version == m.app.spec.Version {
		return m.app.spec
	}
	if def := s.definitions.find(i.App, i.Version); def != nil {
		return def.app
	}
	return m.app.spec
}

// findings returns a copy of what is known of the instance, to be changed, with a
// place for each of the version's health checks.
func (i *Instance) findings(version *spec.App) *Findings {
	var f Findings
	if i.Found != nil {
		f = *i.Found
	}
	f.Health = slices.Clone(f.Health)
	if n := len(version.HealthChecks); len(f.Health) != n {
		f.Health = make([]CheckHealth, n)
	}
	return &f
}

// CheckResult is what the generic check of the instance's task found; the zero value
// for nothing.
func (i *Instance) CheckResult() CheckResult {
	if i.Found == nil {
		return CheckResult{}
	}
	return i.Found.Check
}

// overall is the health of an instance by all its checks; nil when it is not known.
func (f *Findings) overall() *bool {
	states := make([]sdk.HealthState, len(f.Health))
	for i := range f.Health {
		states[i] = f.Health[i].State
	}
	switch sdk.OverallHealth(states...) {
	case sdk.Healthy:
		return new(true)
	case sdk.Unhealthy:
		return new(false)
	default:
		return nil
	}
}

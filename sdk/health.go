package sdk

import (
	"context"
	"strings"
)

// Health is the policy kind "health": it says from what the health checks of an
// instance found whether the instance is well, and whether it is to be replaced.
// It does not make the checks: Pacer or Mesos does.
type Health interface {
	// Rules lists the rules this policy answers for, in lower case.
	Rules() []string
	// Prepare is called once per app version, and again after a change of leader. It
	// returns *Invalid for what the user must change and any other error for a
	// fault of its own. It must not keep h.
	Prepare(ctx context.Context, h HealthSpec) (PreparedHealth, error)
}

// HealthSpec names the rule and the app version whose instances are judged.
// Settings of a rule are labels of the app.
type HealthSpec struct {
	Rule   string // canonical, see CanonicalRule
	App    AppFacts
	Checks []HealthCheck // all of the app version, in its order
}

// HealthCheck is what a rule may know of one health check.
type HealthCheck struct {
	Protocol       string // as in the API: HTTP, TCP, COMMAND, MESOS_HTTP …
	IntervalMillis uint64
	TimeoutMillis  uint64
	// GraceMillis is how long failures before the first success do not count; they
	// are no part of any history. See Counts.
	GraceMillis uint64
	// MaxConsecutiveFailures is how many the user will bear. 0: no instance is ever
	// replaced for this check, whatever a rule says.
	MaxConsecutiveFailures uint32
	// ByMesos: Mesos makes the check, and ends the task by its own rule. What is said
	// here decides whether the instance is healthy, but replaces nothing.
	ByMesos bool
}

// PreparedHealth answers for the instances of one app version. It is used by one
// goroutine at a time.
type PreparedHealth interface {
	// Judge answers one verdict for each history. It is asked when results were
	// added to them, and with the latest ones after a change of leader; but it need
	// not be asked about one more success of an instance that is healthy by a record
	// of nothing but successes. Each verdict must depend on its own history alone.
	// An error is a fault of the module: every verdict stays what it was and nothing
	// is replaced. It must not keep histories; the answer is the caller's.
	Judge(ctx context.Context, histories []HealthHistory) ([]HealthVerdict, error)
	// Close releases what Prepare took. It may be called once.
	Close()
}

// HealthHistory is what one check found on one instance.
type HealthHistory struct {
	Check     uint32 // index into HealthSpec.Checks
	AgeMillis uint64 // since the instance runs
	HealthRecord
}

// HealthVerdict is what a rule makes of one history.
type HealthVerdict struct {
	State HealthState
	// Replace asks for the end of the instance; another one takes its place. It goes
	// with Unhealthy. The host does it only to an instance that runs, only where
	// MaxConsecutiveFailures is not 0, and not for checks that Mesos makes.
	Replace bool
	Reason  string // for people: why it is not healthy; may be ""
}

// HealthState is whether an instance is well, by one check or by all.
type HealthState uint32

// The states of health.
const (
	HealthUnknown HealthState = iota // nothing is known yet
	Healthy
	Unhealthy
)

// String returns the state in lower case.
func (s HealthState) String() string {
	switch s {
	case Healthy:
		return "healthy"
	case Unhealthy:
		return "unhealthy"
	default:
		return "unknown"
	}
}

// OverallHealth is the health of an instance whose checks have these states:
// unhealthy when one is, else unknown when one is, else healthy. Without checks
// nothing is known.
func OverallHealth(checks ...HealthState) HealthState {
	overall := HealthUnknown
	for i, s := range checks {
		switch {
		case s == Unhealthy:
			return Unhealthy
		case i == 0 || s == HealthUnknown:
			overall = s
		}
	}
	return overall
}

// CanonicalRule is the form in which names of health rules are compared.
func CanonicalRule(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

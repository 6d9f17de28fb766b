package placement

import (
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Terms are an operator's settings of which offers do for any app. The zero value
// is what Marathon does unless told otherwise.
type Terms struct {
	// UnrestrictedGPUs lets apps that want no GPUs use up offers that have some,
	// unless their label GPU_SCHEDULING_BEHAVIOR says otherwise.
	UnrestrictedGPUs bool
	// DefaultRoles is whose resources apps take that name no acceptedResourceRoles.
	DefaultRoles DefaultRoles
	// Draining is how long before an agent's maintenance nothing is placed there any
	// more; in whole milliseconds.
	Draining time.Duration
	// NoMaintenance places instances on agents in maintenance as on others.
	NoMaintenance bool
}

// DefaultRoles is whose resources an app takes that does not say so.
type DefaultRoles uint8

const (
	AnyRole        DefaultRoles = iota // unreserved ones and those of its role
	UnreservedOnly                     // of nobody
	ReservedOnly                       // of its role; of nobody if that is Mesos' role of all, "*"
)

// accepted tells whose resources the app takes: those reserved for its own role,
// unreserved ones.
func (t *Terms) accepted(app *spec.App) (own, star bool) {
	if app.Resident() {
		return false, true // what is reserved for a role cannot be reserved again
	}
	if len(app.AcceptedResourceRoles) > 0 {
		return acceptedRoles(app)
	}
	if app.Role == unreservedRole || t.DefaultRoles == UnreservedOnly {
		return false, true
	}
	return true, t.DefaultRoles == AnyRole
}

// scarce tells whether the app may use up an offer with GPUs. Its label goes before
// the operator's setting, unless it has a value that says nothing.
func (t *Terms) scarce(app *spec.App) bool {
	if app.GPUs > 0 {
		return true
	}
	switch app.Labels[gpuLabel] {
	case gpuUnrestricted:
		return true
	case gpuRestricted:
		return false
	}
	return t.UnrestrictedGPUs
}

// closed tells whether the window keeps instances away at now, in Unix
// milliseconds. A nil window never does.
func (t *Terms) closed(w *Window, now int64) bool {
	if w == nil || t.NoMaintenance {
		return false
	}
	return now > w.Begin-t.Draining.Milliseconds() && (w.End == 0 || now <= w.End)
}

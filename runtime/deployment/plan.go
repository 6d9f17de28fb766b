// Package deployment is the change under way as data: two sets of definitions
// become a plan of steps. It is pure.
package deployment

import "github.com/pacer-run/pacer/runtime/spec"

// ActionKind is what a step does to one app.
type ActionKind uint8

const (
	Start ActionKind = iota // make the app known, without instances
	Stop                    // kill all instances and forget the app
	Scale                   // bring the number of instances to To
)

// String returns the name of the API.
func (k ActionKind) String() string {
	return [...]string{"StartApplication", "StopApplication", "ScaleApplication"}[k]
}

// Action is a step's work on one app.
type Action struct {
	Kind ActionKind
	App  spec.PathID
	To   int // wanted instances; 0 for Start and Stop
}

// Step is a set of actions that run side by side. The next step begins when all
// of them are done.
type Step struct{ Actions []Action }

// Plan is a deployment: its steps run one after the other.
type Plan struct {
	ID      string // UUID
	Version spec.Timestamp
	Steps   []Step
}

// Package deployment is the change under way as data: two sets of definitions
// become a plan of steps. It is pure.
package deployment

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

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

// Plan is a deployment: its steps run one after the other. A value is never
// changed once it was accepted.
type Plan struct {
	ID      string // UUID
	Version spec.Timestamp
	Steps   []Step
}

// Change is one app before and after; nil means that it is not there.
type Change struct {
	Before, After *spec.App
}

// app returns the id of the app that changes.
func (c Change) app() spec.PathID {
	if c.After != nil {
		return c.After.ID
	}
	return c.Before.ID
}

// Steps plans the changes: what goes is stopped first, what is new is made known
// next, then every app gets its instances. Steps without actions are left out, so
// changes that change nothing give no steps.
func Steps(changes []Change) []Step {
	var stop, start, scale []Action
	for _, c := range changes {
		switch {
		case c.Before == nil && c.After == nil:
		case c.After == nil:
			stop = append(stop, Action{Kind: Stop, App: c.app()})
		case c.Before == nil:
			start = append(start, Action{Kind: Start, App: c.app()})
			scale = append(scale, Action{Kind: Scale, App: c.app(), To: c.After.Instances})
		case c.Before.Version != c.After.Version:
			scale = append(scale, Action{Kind: Scale, App: c.app(), To: c.After.Instances})
		}
	}
	var steps []Step
	for _, actions := range [][]Action{stop, start, scale} {
		if len(actions) > 0 {
			steps = append(steps, Step{Actions: actions})
		}
	}
	return steps
}

// Apps returns the ids of all apps that the plan changes, sorted, each once.
func (p *Plan) Apps() []spec.PathID {
	var ids []spec.PathID
	for _, step := range p.Steps {
		for _, a := range step.Actions {
			ids = append(ids, a.App)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

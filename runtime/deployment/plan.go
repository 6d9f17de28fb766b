// Package deployment is the change under way as data: the definitions before and
// after become a plan of steps. It is pure.
package deployment

import (
	"cmp"
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// ActionKind is what a step does to one app.
type ActionKind uint8

const (
	Start   ActionKind = iota // make the app known, without instances
	Stop                      // kill all instances and forget the app
	Scale                     // bring the number of instances to To
	Restart                   // replace all instances by To of the new version
)

// String returns the name of the API.
func (k ActionKind) String() string {
	return [...]string{"StartApplication", "StopApplication", "ScaleApplication", "RestartApplication"}[k]
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

// Change is one app before and after; nil means that it is not there.
type Change struct{ Before, After *spec.App }

// App returns the id of the app that changes.
func (c Change) App() spec.PathID {
	if c.After != nil {
		return c.After.ID
	}
	return c.Before.ID
}

// GroupChange is one group before and after; nil means that it is not there.
type GroupChange struct{ Before, After *spec.Group }

// Group returns the id of the group that changes.
func (c GroupChange) Group() spec.PathID {
	if c.After != nil {
		return c.After.ID
	}
	return c.Before.ID
}

// Plan is a deployment: its steps run one after the other. A value is never
// changed once it was accepted.
type Plan struct {
	ID      string // UUID
	Version spec.Timestamp
	Steps   []Step
	Changes []Change      // by id; apps that stay as they are are not among them
	Groups  []GroupChange // by id
}

// Apps returns the ids of all apps that the plan changes, in order.
func (p *Plan) Apps() []spec.PathID {
	ids := make([]spec.PathID, len(p.Changes))
	for i, c := range p.Changes {
		ids[i] = c.App()
	}
	return ids
}

// Change returns what the plan does to an app, nil when it stays as it is.
func (p *Plan) Change(id spec.PathID) *Change {
	i, ok := slices.BinarySearchFunc(p.Changes, id, func(c Change, id spec.PathID) int { return cmp.Compare(c.App(), id) })
	if !ok {
		return nil
	}
	return &p.Changes[i]
}

// Options say how a plan is made.
type Options struct {
	ID      string
	Version spec.Timestamp // newer than all before
	// Restart names apps that are restarted although their definition stays.
	Restart map[spec.PathID]bool
	// DependenciesFirst takes apps down in the order in which they came up.
	// Otherwise what depends on others goes before them.
	DependenciesFirst bool
}

// Make plans a change of the tree and returns the tree after it, with the versions
// of what changed set. The error is a *CycleError.
func Make(before spec.Tree, change spec.TreeChange, o Options) (*Plan, spec.Tree, error) {
	p := &Plan{ID: o.ID, Version: o.Version}
	stamped := spec.TreeChange{Version: o.Version, Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{}}
	for id, after := range change.Apps {
		c := Change{Before: before.App(id), After: stamp(before.App(id), after, o)}
		if c.Before != c.After {
			p.Changes = append(p.Changes, c)
			stamped.Apps[id] = c.After
		}
	}
	for id, after := range change.Groups {
		if c := (GroupChange{Before: before.Group(id), After: after}); !sameGroup(c.Before, c.After) {
			p.Groups = append(p.Groups, c)
			stamped.Groups[id] = c.After
		}
	}
	slices.SortFunc(p.Changes, func(x, y Change) int { return cmp.Compare(x.App(), y.App()) })
	slices.SortFunc(p.Groups, func(x, y GroupChange) int { return cmp.Compare(x.Group(), y.Group()) })
	if len(p.Changes)+len(p.Groups) == 0 {
		return p, before, nil
	}
	after := before.With(stamped)
	var err error
	p.Steps, err = steps(before, after, p.Changes, o)
	if err == nil && len(p.Groups) > 0 {
		err = checkGroups(after, p.Groups)
	}
	return p, after, err
}

// stamp sets the versions of a definition by what changed. A definition that does
// not change is the one from before.
func stamp(before, after *spec.App, o Options) *spec.App {
	if after == nil {
		return nil
	}
	out := *after
	out.Version, out.LastScalingAt, out.LastConfigChangeAt = o.Version, o.Version, o.Version
	if before == nil {
		return &out
	}
	change := spec.Compare(before, after)
	switch {
	case change == spec.Unchanged && o.Restart[after.ID]:
		out.LastScalingAt = before.LastScalingAt
	case change == spec.Unchanged:
		return before
	case change == spec.Scaled && !o.Restart[after.ID]:
		out.LastConfigChangeAt = before.LastConfigChangeAt
	}
	return &out
}

func sameGroup(x, y *spec.Group) bool {
	return x == y || x != nil && y != nil && x.Equal(y)
}

// checkGroups looks for rings that changed groups have closed.
func checkGroups(after spec.Tree, changes []GroupChange) error {
	g := newGraph(after)
	for _, c := range changes {
		if c.After == nil || len(c.After.Dependencies) == 0 {
			continue
		}
		for a := range after.Apps(c.Group()) {
			if _, err := g.layer(a.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

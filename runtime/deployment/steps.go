package deployment

import "github.com/pacer-run/pacer/runtime/spec"

// steps orders the changes: what goes is stopped first, what is new is made known
// next, then every app gets its instances. Within each part the dependencies say
// who waits for whom: an app comes up after those that it depends on, and goes
// down, or is taken down, before them. Steps without actions are left out.
func steps(before, after spec.Tree, changes []Change, o Options) ([]Step, error) {
	was, is := newGraph(before), newGraph(after)
	var stop, start, scale placed
	for _, c := range changes {
		var err error
		switch {
		case c.After == nil:
			err = stop.put(was, Action{Kind: Stop, App: c.App()}, !o.DependenciesFirst)
		case c.Before == nil:
			start.actions = append(start.actions, at{action: Action{Kind: Start, App: c.App()}})
			err = scale.put(is, Action{Kind: Scale, App: c.App(), To: c.After.Instances}, false)
		case restarts(c):
			err = scale.put(is, Action{Kind: Restart, App: c.App(), To: c.After.Instances}, false)
		default:
			down := c.After.Instances < c.Before.Instances
			err = scale.put(is, Action{Kind: Scale, App: c.App(), To: c.After.Instances}, down && !o.DependenciesFirst)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(stop.steps(), append(start.steps(), scale.steps()...)...), nil
}

// restarts tells whether running instances must be replaced. An app that is to
// have none just loses those it has.
func restarts(c Change) bool {
	return c.After.Instances > 0 && c.Before.LastConfigChangeAt != c.After.LastConfigChangeAt
}

// at is an action and its dependency layer.
type at struct {
	action Action
	layer  int
	down   bool // counted from the other end: dependants first
}

// placed are the actions of one part of a plan.
type placed struct {
	actions  []at
	deepest  int // layer of those that go up
	downmost int // layer of those that go down
}

func (p *placed) put(g *graph, action Action, down bool) error {
	layer, err := g.layer(action.App)
	if err != nil {
		return err
	}
	if down {
		p.downmost = max(p.downmost, layer)
	} else {
		p.deepest = max(p.deepest, layer)
	}
	p.actions = append(p.actions, at{action: action, layer: layer, down: down})
	return nil
}

// steps puts the actions of a layer side by side.
func (p *placed) steps() []Step {
	slots := make([]Step, max(p.deepest, p.downmost)+1)
	for _, a := range p.actions {
		slot := a.layer
		if a.down {
			slot = p.downmost + 1 - a.layer
		}
		slots[slot].Actions = append(slots[slot].Actions, a.action)
	}
	var out []Step
	for _, s := range slots {
		if len(s.Actions) > 0 {
			out = append(out, s)
		}
	}
	return out
}

package placement

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// changes are the requirements that the app would have with one rule changed,
// where the change may bring other rules into play.
type changes struct {
	without   []*requirement // by rule: without it, which may bind the app to the home region
	gpuless   *requirement   // which may not use up offers with GPUs
	accepting *requirement   // of all resources it may have; nil: it accepts them already
	roles     map[string]*requirement
}

// imagine works out the requirements of the changed app.
func (e *explainer) imagine() {
	c := &e.changes
	c.roles = map[string]*requirement{}
	for i := range e.seeker.rulings {
		c.without = append(c.without, e.changed(func(app *spec.App) {
			gone := e.seeker.rulings[i].rule.Constraint
			if at := slices.Index(app.Constraints, gone); at >= 0 {
				app.Constraints = slices.Delete(slices.Clone(app.Constraints), at, at+1)
			}
		}))
	}
	c.gpuless = e.changed(func(app *spec.App) { app.GPUs = 0 })
	c.accepting = e.changed(func(app *spec.App) { app.AcceptedResourceRoles = []string{app.Role, unreservedRole} })
	if c.accepting.demand == e.seeker.requirement.demand {
		c.accepting = nil
	}
}

// changed is the requirement of a changed app.
func (e *explainer) changed(change func(*spec.App)) *requirement {
	app := *e.wanted.App
	change(&app)
	d, impossible := demandOf(&app, &e.cluster.Terms)
	return &requirement{
		demand: d, impossible: impossible,
		lane: &lane{role: d.role, own: d.own, star: d.star}, // of its own: the table would keep it up to date
	}
}

// inRole is the requirement of the app with another role. What it accepts of its
// own role's resources it accepts of the other's.
func (e *explainer) inRole(role string) *requirement {
	r, ok := e.changes.roles[role]
	if !ok {
		r = e.changed(func(app *spec.App) {
			if app.Role != unreservedRole {
				app.AcceptedResourceRoles = slices.Clone(app.AcceptedResourceRoles)
				for i, accepted := range app.AcceptedResourceRoles {
					if accepted == app.Role {
						app.AcceptedResourceRoles[i] = role
					}
				}
			}
			app.Role = role
		})
		e.changes.roles[role] = r
	}
	return r
}

// hosts tells whether the row's offer has all that the requirement asks for.
func (e *explainer) hosts(r *requirement, row int) bool {
	_, misfits := e.assess(r, row)
	return misfits == 0
}

// relax notes every change of one rule with which the offer would fit. The agent
// does not fit now.
func (e *explainer) relax(a *Agent, l *look) {
	if l.closed > 0 {
		if l.closed == 1 && l.misfits == 0 && e.hosts(e.changes.without[l.last], l.row) {
			e.gained(Relaxation{Kind: WithoutConstraint, Constraint: l.last}, a, 0)
		}
		return
	}
	e.relaxRole(a, l)
	for _, whole := range [...]struct {
		rule RuleKind
		kind RelaxationKind
	}{{RuleRegion, OutsideRegion}, {RuleMaintenance, AfterMaintenance}, {RuleScarceGPUs, ScarceGPUs}} {
		if l.misfits.only(whole.rule) {
			e.gained(Relaxation{Kind: whole.kind}, a, 0)
		}
	}
	for k := range kinds {
		if l.misfits.only(RuleCPUs + RuleKind(k)) {
			e.relaxAmount(a, l, k)
		}
	}
	if l.misfits.only(RulePorts) {
		e.relaxPorts(a, l)
	}
}

// relaxRole tries the role that the offer is made to, or else all resources that
// the app may accept.
func (e *explainer) relaxRole(a *Agent, l *look) {
	switch role := l.offer.Role; {
	case role != e.wanted.App.Role:
		if e.hosts(e.inRole(role), l.row) {
			e.gained(Relaxation{Kind: OtherRole, Role: role}, a, 0)
		}
	case e.changes.accepting != nil && e.hosts(e.changes.accepting, l.row):
		e.gained(Relaxation{Kind: ResourcesOfRole}, a, 0)
	}
}

// relaxAmount notes how much of the resource would do. An app without any cpus
// or mem is no app, one without GPUs another kind of app.
func (e *explainer) relaxAmount(a *Agent, l *look, k Kind) {
	if k == Disk && e.wanted.App.Resident() {
		return // volumes do not change
	}
	amount := l.spot.free[k]
	if k == GPUs {
		amount -= amount % MilliOf(1) // apps ask for whole ones
		if e.hosts(e.changes.gpuless, l.row) {
			e.gained(Relaxation{Kind: WithoutGPUs}, a, 0)
		}
	}
	if amount > 0 || k == Disk {
		e.gained(Relaxation{Kind: LessCPUs + RelaxationKind(k)}, a, amount)
	}
}

// relaxPorts tries fewer ports, another number in place of one, and any numbers.
func (e *explainer) relaxPorts(a *Agent, l *look) {
	r := e.seeker.requirement
	offered := int(l.spot.ports)
	if offered >= r.ports { // so it is a number that is missing
		e.gained(Relaxation{Kind: AnyPorts}, a, 0)
	}
	if r.impossible {
		return
	}
	e.m.table.collect(r, l.row)
	switch missing := e.missingPorts(); {
	case len(missing) == 0:
		e.gained(Relaxation{Kind: FewerPorts}, a, MilliOf(float64(offered)))
	case len(missing) == 1 && offered >= r.ports:
		e.gained(Relaxation{Kind: OtherPort, Port: missing[0]}, a, 0)
	}
}

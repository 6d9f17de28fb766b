package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// outlined lists what is asked of every offer.
func (e *explainer) outlined(rules []Rule) []Finding {
	r, app := e.seeker.requirement, e.wanted.App
	var out []Finding
	add := func(k RuleKind, name, asked string) {
		out = append(out, Finding{Rule: k, Constraint: -1, Name: name, Asked: asked})
	}
	add(RuleRole, "role", app.Role+", resources of "+r.roles())
	if !r.anywhere {
		add(RuleRegion, "region", orNone(e.cluster.HomeRegion))
	}
	for i, rule := range rules {
		c := rule.Constraint
		out = append(out, Finding{
			Rule: RuleConstraint, Constraint: i, Name: constraintText(c),
			Asked: strings.TrimPrefix(constraintText(c), c.Field+":"),
		})
	}
	if !e.cluster.NoMaintenance {
		add(RuleMaintenance, "maintenance", e.maintenanceAsked())
	}
	for k := range kinds {
		add(RuleCPUs+RuleKind(k), k.String(), r.need[k].text())
	}
	if !r.scarce {
		add(RuleScarceGPUs, "scarce gpus", "none")
	}
	add(RulePorts, "ports", portsAsked(app))
	return out
}

// findings are the rules' words on what was looked at.
func (e *explainer) findings(l *look) []Finding {
	out := slices.Clone(e.outline)
	for i := range out {
		f := &out[i]
		switch {
		case f.Rule == RuleConstraint:
			e.findConstraint(f, l)
		case f.Rule == RuleRegion:
			f.Had = orNone(l.agent.Region)
			f.judge(l, "the agent is not in the home region")
		case l.offer == nil:
			f.Verdict = NotEvaluated
		default:
			e.findOffered(f, l)
		}
	}
	return out
}

// judge sets the verdict, and the reason if the rule refuses.
func (f *Finding) judge(l *look, reason string) {
	if l.misfits.has(f.Rule) {
		f.Verdict, f.Reason = Refused, reason
	}
}

// findConstraint fills in the word of a constraint.
func (e *explainer) findConstraint(f *Finding, l *look) {
	field := sdk.CanonicalField(e.seeker.rulings[f.Constraint].rule.Constraint.Field)
	value, has := l.agent.Value(field)
	if f.Had = value; !has {
		f.Had = "none"
	}
	f.Verdict = e.constraint(f.Constraint, l.number)
	switch {
	case f.Verdict == Faulted:
		f.Reason = e.faults[f.Constraint].Error()
	case f.Verdict == Fits:
	case !has:
		f.Reason = "the agent has no " + field
	default:
		if f.Reason = e.heard[f.Constraint].reason; f.Reason == "" {
			f.Reason = "the policy takes no more instances there"
		}
	}
}

// findOffered fills in the word of a rule on what is offered.
func (e *explainer) findOffered(f *Finding, l *look) {
	r := e.seeker.requirement
	switch f.Rule {
	case RuleRole:
		f.Had = l.offer.Role + ", resources of " + rolesOf(l.offer)
		if f.judge(l, "nothing is offered of "+r.roles()); l.offer.Role != r.role && f.Verdict == Refused {
			f.Reason = "the offer is made to the role " + l.offer.Role
		}
	case RuleMaintenance:
		f.Had = l.offer.Unavailable.text()
		if f.judge(l, "the agent is in maintenance"); f.Verdict == Refused && l.offer.Unavailable.Begin >= int64(e.cluster.Now) {
			f.Reason = "the agent's maintenance begins within " + e.cluster.Draining.String()
		}
	case RuleCPUs, RuleMem, RuleDisk, RuleGPUs:
		k := f.Rule.resource()
		if l.misfits.has(f.Rule) && l.spot.free[k] >= r.need[k] {
			f.Had = e.amount(l.spot.free[k])
			f.judge(l, "nothing is offered that its volumes may lie on")
			return
		}
		if f.Had = e.amount(l.spot.free[k]); l.misfits.has(f.Rule) {
			f.judge(l, e.lack(f, l.offer.total(k)-l.spot.free[k]))
		}
	case RuleScarceGPUs:
		f.Had = e.amount(l.offer.total(GPUs))
		f.judge(l, "the offer's gpus are kept for apps that want some")
	case RulePorts:
		e.m.table.collect(r, l.row)
		f.Had = portsHad(e.m.table.pieces)
		if l.misfits.has(RulePorts) {
			f.judge(l, e.portsLack(&l.spot))
		}
	case RuleRegion, RuleConstraint: // they are about the agent
	}
}

// maintenanceAsked says when an agent must not be in maintenance.
func (e *explainer) maintenanceAsked() string {
	if e.cluster.Draining > 0 {
		return "none now, nor within " + e.cluster.Draining.String()
	}
	return "none now"
}

// lack says that there is too little of a resource; beyond is how much is
// offered that the app may not take.
func (e *explainer) lack(f *Finding, beyond Milli) string {
	text := "needs " + f.Asked + " " + f.Name + ", " + f.Had + " offered"
	if beyond > 0 {
		text += "; " + e.amount(beyond) + " more of reservations it does not take"
	}
	return text
}

// amount is the text of an amount in whole units.
func (e *explainer) amount(m Milli) string {
	text, ok := e.amounts[m]
	if !ok {
		text = m.text()
		e.amounts[m] = text
	}
	return text
}

// text writes the amount in whole units, with no more digits than it has.
func (m Milli) text() string { return strconv.FormatFloat(m.Float(), 'f', -1, 64) }

// total is what the offer holds of a resource, under any reservation.
func (o *Offer) total(k Kind) (sum Milli) {
	for i := range o.Shares {
		sum += o.Shares[i].Scalars[k]
	}
	return sum
}

// roles names whose resources the demand takes.
func (d *demand) roles() string {
	switch {
	case d.own && d.star:
		return d.role + " and " + unreservedRole
	case d.own:
		return d.role
	case d.star:
		return unreservedRole
	}
	return "no role"
}

// rolesOf names whose resources the offer holds.
func rolesOf(o *Offer) string {
	var roles []string
	for i := range o.Shares {
		r := &o.Shares[i].Reservation
		name := r.Role
		switch {
		case r.owned():
			name = "one instance"
		case name == "":
			name = unreservedRole
		}
		if !slices.Contains(roles, name) {
			roles = append(roles, name)
		}
	}
	if len(roles) == 1 {
		return roles[0]
	}
	return orNone(strings.Join(roles, " and "))
}

// text writes the window; nil is none.
func (w *Window) text() string {
	switch {
	case w == nil:
		return "none"
	case w.End == 0:
		return fmt.Sprintf("from %v on", spec.Timestamp(w.Begin))
	}
	return fmt.Sprintf("%v to %v", spec.Timestamp(w.Begin), spec.Timestamp(w.End))
}

// orNone is text, or a word for its absence.
func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

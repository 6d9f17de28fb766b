package placement

import "math/bits"

// look is how an offer came out for the wanted app.
type look struct {
	agent   *Agent
	number  int32  // the agent's, in the roster
	offer   *Offer // nil: the agent has none at hand, only misfits of RuleRegion are known
	row     int
	spot    spot
	misfits misfits
	closed  int // constraints that do not let an instance go there, refused and at fault
	last    int // the last one of these
}

// misfits are the rules that refuse an offer, constraints aside: the bit 1<<k is
// that of the RuleKind k.
type misfits uint16

func (m misfits) has(k RuleKind) bool { return m&(1<<k) != 0 }

// only tells whether the rule is all that refuses.
func (m misfits) only(k RuleKind) bool { return m == 1<<k }

// look looks at the offer of a row.
func (e *explainer) look(row int) look {
	offer := e.m.table.offer(row)
	l := look{agent: offer.Agent, number: e.m.table.rows[row].agent, offer: offer, row: row}
	l.spot, l.misfits = e.assess(e.seeker.requirement, row)
	e.constrain(&l)
	return l
}

// lookAt looks at an agent without an offer.
func (e *explainer) lookAt(a *Agent) *look {
	l := look{agent: a, number: e.m.roster.numbers[a]}
	var w row
	e.m.table.fill(&w, &Offer{Agent: a})
	l.misfits.set(RuleRegion, w.away && !e.seeker.requirement.anywhere)
	e.constrain(&l)
	return &l
}

// constrain counts the constraints that are closed to the agent.
func (e *explainer) constrain(l *look) {
	for i := range e.seeker.rulings {
		if e.constraint(i, l.number) != Fits {
			l.closed, l.last = l.closed+1, i
		}
	}
}

// constraint is the word of the i-th rule on the agent with the number.
func (e *explainer) constraint(i int, number int32) Verdict {
	r := &e.seeker.rulings[i]
	switch {
	case e.faults[i] != nil:
		return Faulted
	case r.open(r.column.of[number]):
		return Fits
	}
	return Refused
}

// against is how many rules speak against the offer.
func (l *look) against() int { return bits.OnesCount16(uint16(l.misfits)) + l.closed }

// verdict is how the offer comes out as a whole.
func (l *look) verdict(e *explainer) Verdict {
	if l.against() == 0 {
		return Fits
	}
	if l.misfits != 0 {
		return Refused
	}
	for i := range e.faults {
		if e.constraint(i, l.number) == Refused {
			return Refused
		}
	}
	return Faulted
}

// set notes that the rule refuses, if it does.
func (m *misfits) set(k RuleKind, refused bool) {
	if refused {
		*m |= 1 << k
	}
}

// assess checks the offer of a row against all that the requirement asks for. It
// agrees with table.try, which stops at the first refusal.
func (e *explainer) assess(r *requirement, row int) (spot, misfits) {
	t := &e.m.table
	s := t.look(r.lane, &t.rows[row])
	var m misfits
	m.set(RuleRole, s.state&isForeign != 0)
	m.set(RuleRegion, s.state&isAway != 0 && !r.anywhere)
	m.set(RuleMaintenance, s.state&isDraining != 0)
	for k := range r.need {
		m.set(RuleCPUs+RuleKind(k), s.free[k] < r.need[k])
	}
	m.set(RuleDisk, r.volumes != nil && !t.hasDisks(r.volumes, row))
	m.set(RuleScarceGPUs, s.state&hasGPUs != 0 && !r.scarce)
	m.set(RulePorts, r.ports > 0 && !t.hasPorts(r, &s, row))
	return s, m
}

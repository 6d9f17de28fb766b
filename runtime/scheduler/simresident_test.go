package scheduler

import (
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
)

// simHolding is what an agent keeps for one instance.
type simHolding struct {
	launch.Holding
	cpus placement.Milli
	used *simTask // the last task on it
}

// busy tells whether a task runs on it.
func (h *simHolding) busy() bool { return h.used != nil && !isTerminal(h.used.state) }

// putInto adds the holding to an offer; text says so in the language of scripts.
func (h *simHolding) putInto(o *placement.Offer, s *sim) (text string) {
	o.Shares, o.Disks = append(o.Shares, h.Shares...), append(o.Disks, h.Disks...)
	return "+" + s.namesOf().instance("", instanceUUID(h.Instance))
}

// idle are the agent's holdings of a role that nobody uses and no offer holds.
func (m *mesos) idle(a *simAgent, role string) []*simHolding {
	var out []*simHolding
	for _, h := range a.holdings {
		offered := h.Shares[0].Reservation.Role != role
		for _, o := range m.offers {
			offered = offered || o.Agent == a.facts && slices.Contains(a.offered(o), h)
		}
		if !offered && !h.busy() {
			out = append(out, h)
		}
	}
	return out
}

// offered are the agent's holdings in an offer.
func (a *simAgent) offered(o *placement.Offer) []*simHolding {
	var out []*simHolding
	for _, h := range a.holdings {
		if slices.ContainsFunc(o.Shares, func(s placement.Share) bool { return s.Reservation == h.Shares[0].Reservation }) {
			out = append(out, h)
		}
	}
	return out
}

// covers tells whether all of the holdings were refused before.
func (r *simRefusal) covers(all []*simHolding) bool {
	for _, h := range all {
		if !slices.Contains(r.held, h) {
			return false
		}
	}
	return true
}

// operate does what comes before the launches and returns what that took. An
// operation may fail, and nobody is told.
func (m *mesos) operate(c *Accept, offer *placement.Offer, left placement.Milli) (taken placement.Milli) {
	a := m.agent(offer.Agent.ID)
	if a.lost || a.away {
		return 0
	}
	for _, free := range c.Free {
		i := slices.IndexFunc(a.holdings, func(h *simHolding) bool { return h.Instance == free.Instance })
		if i < 0 || a.holdings[i].busy() || !slices.Contains(a.offered(offer), a.holdings[i]) {
			panic("gave back what was not offered: " + free.Instance)
		}
		if len(free.Shares) != len(a.holdings[i].Shares) || len(free.Disks) != len(a.holdings[i].Disks) {
			panic("gave back a part: " + free.Instance)
		}
		if !m.sim.chance(0.05) {
			a.holdings = slices.Delete(a.holdings, i, i+1)
		}
	}
	for _, reserve := range c.Reserve {
		m.checkNotHeld(reserve.Instance)
		h := &simHolding{Holding: reserve}
		for i := range reserve.Shares {
			h.cpus += reserve.Shares[i].Scalars[placement.CPUs]
		}
		if taken += h.cpus; taken > left {
			panic("offer " + offer.ID + " exceeded by a reservation")
		}
		switch {
		case m.sim.chance(0.05): // the reservation failed
			continue
		case m.sim.chance(0.05): // the volumes were not made
			h.Disks = h.Disks[:len(h.Disks)-1] // or not all of them
		}
		a.holdings = append(a.holdings, h)
	}
	return taken
}

// checkNotHeld: an instance reserves once.
func (m *mesos) checkNotHeld(instance string) {
	for _, a := range m.agents {
		for _, h := range a.holdings {
			if h.Instance == instance {
				panic("reserved twice: " + instance)
			}
		}
	}
}

// holdingOf is what a task is launched on, nil for none. Its volumes must be in
// the offer, and no other task may be on them.
func (m *mesos) holdingOf(task *launch.Task, offer *placement.Offer) *simHolding {
	if !task.App.Resident() {
		return nil
	}
	_, id, _, _ := ParseTaskID(task.ID)
	for _, h := range m.agent(offer.Agent.ID).offered(offer) {
		if instanceUUID(h.Instance) != id {
			continue
		}
		if h.busy() {
			panic("two tasks on one volume: " + task.ID)
		}
		if !slices.Equal(h.Disks, task.Place.Disks) {
			panic("launched without its volumes: " + task.ID)
		}
		return h
	}
	panic("launched away from its volumes: " + task.ID)
}

// checkHoldings: whoever holds something is an instance that is meant to.
func (s *sim) checkHoldings() {
	for _, a := range s.mesos.agents {
		for _, h := range a.holdings {
			if !s.s.isHeld(h.Instance, a.facts.ID) {
				panic(fmt.Sprintf("a reservation on %s is left of %s\n%s", a.facts.ID, s.namesOf().instance("", instanceUUID(h.Instance)), s.s.Text(s.namesOf())))
			}
		}
	}
}

// giveUp has an operator declare an agent gone, with all that is on it; another
// machine takes its place. An instance that has something there and no task is
// never told, and would wait for ever.
func (m *mesos) giveUp(a *simAgent) {
	if a.lost || a.away || slices.ContainsFunc(a.holdings, func(h *simHolding) bool { return !h.busy() }) {
		return
	}
	for _, id := range m.offerIDs() {
		if m.offers[id].Agent == a.facts {
			delete(m.offers, id)
			m.deliver("rescind "+id, Rescinded{OfferID: id})
		}
	}
	for _, id := range m.taskIDs() {
		if t := m.tasks[id]; t.agent == a {
			m.answer(id, TaskGoneByOperator, "REASON_AGENT_REMOVED_BY_OPERATOR")
			t.state, t.queue = TaskGoneByOperator, nil
			delete(m.tasks, id)
		}
	}
	m.goneAgents[a.facts.ID] = true
	m.deliver("agent-lost "+a.facts.ID, AgentLost{AgentID: a.facts.ID})
	next := *a.facts
	m.agentSeq++
	next.ID = fmt.Sprintf("b%d", m.agentSeq)
	next.Hostname = "host-" + next.ID
	a.facts, a.holdings = &next, nil
	clear(a.refused)
}

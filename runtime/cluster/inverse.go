package cluster

import (
	"slices"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// inverse is the request to one framework to leave an agent that is to be maintained. Nothing follows from its answer but
// that operators see it.
type inverse struct {
	id        string // of the outstanding inverse offer; "" while none is
	framework *framework
	agent     *agent
	answer    string // ACCEPT or DECLINE; "" = none yet
	answered  time.Time
	filter    *alarm // until it is over the framework is not asked again; nil = it may be
}

// askBack sends inverse offers to the frameworks that use agents with plans for their maintenance.
func (m *master) askBack() {
	made := map[*framework][]mesos.InverseOffer{}
	for _, a := range m.fleet {
		if a.plan == nil || a.host == nil {
			continue
		}
		for _, f := range m.order {
			if f.stream == nil || !a.usedBy(f) {
				continue
			}
			v := a.inverse[f.id]
			if v == nil {
				v = &inverse{framework: f, agent: a}
				a.inverse[f.id] = v
			}
			if v.id != "" || v.filter != nil {
				continue
			}
			v.id = m.newID("O", m.offerN)
			m.offerN++
			m.inverse[v.id] = v
			made[f] = append(made[f], mesos.InverseOffer{
				OfferID: mesos.OfferID{Value: v.id}, URL: a.url, FrameworkID: mesos.FrameworkID{Value: f.id},
				AgentID: &mesos.AgentID{Value: a.id}, Unavailability: *a.plan,
			})
		}
	}
	for _, f := range m.order {
		if len(made[f]) > 0 {
			m.send(f, &scheduler.Event{
				Type: scheduler.Event_INVERSE_OFFERS, InverseOffers: &scheduler.Event_InverseOffers{InverseOffers: made[f]},
			})
		}
	}
}

// usedBy tells whether the framework has a task on the agent.
func (a *agent) usedBy(f *framework) bool {
	for _, t := range a.tasks {
		if t.framework == f && !t.released {
			return true
		}
	}
	return false
}

// answerInverse takes the answer to inverse offers; ids that are not outstanding, or not the framework's, are ignored.
func (m *master) answerInverse(f *framework, ids []mesos.OfferID, filters *mesos.Filters, answer string) {
	for _, id := range ids {
		v := m.inverse[id.Value]
		if v == nil || v.framework != f {
			continue
		}
		delete(m.inverse, v.id)
		v.id, v.answer, v.answered = "", answer, time.Now()
		if d := refusalTime(filters); d > 0 {
			v.filter = m.after(max(d, m.cfg.AllocationInterval), func() { v.filter = nil })
		}
	}
}

// forgetInverse ends what was asked about an agent, and what was answered.
func (m *master) forgetInverse(a *agent) {
	for _, f := range m.order {
		v := a.inverse[f.id]
		if v == nil {
			continue
		}
		v.filter.stop()
		if v.id != "" {
			delete(m.inverse, v.id)
			m.send(f, &scheduler.Event{
				Type:                scheduler.Event_RESCIND_INVERSE_OFFER,
				RescindInverseOffer: &scheduler.Event_RescindInverseOffer{InverseOfferID: mesos.OfferID{Value: v.id}},
			})
		}
	}
	a.inverse = map[string]*inverse{}
}

// dropInverse forgets what a framework that is gone was asked; after that it may be asked again.
func (m *master) dropInverse(f *framework) {
	for _, a := range m.fleet {
		if v := a.inverse[f.id]; v != nil {
			v.filter.stop()
			delete(m.inverse, v.id)
			delete(a.inverse, f.id)
		}
	}
}

// inverseAnswers are the answers of frameworks on the agents of a machine, for operators.
func (m *master) inverseAnswers(id machineID) []object {
	var out []object
	for _, a := range m.fleet {
		if a.host == nil || a.host.machine() != id {
			continue
		}
		for _, f := range m.order {
			if v := a.inverse[f.id]; v != nil && v.answer != "" {
				out = append(out, object{
					"framework_id": object{"value": f.id}, "status": v.answer,
					"timestamp": nanoseconds{v.answered.UnixNano()},
				})
			}
		}
	}
	return out
}

// strike takes an agent off the master's lists.
func (m *master) strike(a *agent) {
	delete(m.agents, a.id)
	is := func(o *agent) bool { return o == a }
	m.fleet, m.dirty = slices.DeleteFunc(m.fleet, is), slices.DeleteFunc(m.dirty, is)
}

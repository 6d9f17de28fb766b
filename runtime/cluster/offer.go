package cluster

import (
	"fmt"
	"slices"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// offer is an outstanding offer: resources of one agent, held for one framework in one role.
type offer struct {
	id        string
	framework *framework
	agent     *agent
	role      string
	resources resource.Set
	expiry    *alarm // nil: none
}

// newOffer takes the part out of what is free: from here on it belongs to the offer, until that is accepted, declined,
// rescinded or withdrawn. So nothing can be offered twice.
func (m *master) newOffer(a *agent, c claim, part resource.Set) *offer {
	o := &offer{id: m.newID("O", m.offerN), framework: c.f, agent: a, role: c.role, resources: part}
	m.offerN++
	a.free = a.free.Minus(part)
	m.offers[o.id], c.f.offers[o.id], a.offers[o.id] = o, o, o
	if m.cfg.OfferTimeout > 0 {
		o.expiry = m.after(m.cfg.OfferTimeout, func() { m.rescind(o) })
	}
	return o
}

// drop ends an offer without giving its resources back.
func (m *master) drop(o *offer) {
	o.expiry.stop()
	delete(m.offers, o.id)
	delete(o.framework.offers, o.id)
	delete(o.agent.offers, o.id)
}

// withdraw ends an offer without telling the framework.
func (m *master) withdraw(o *offer) {
	m.drop(o)
	m.recover(o.agent, o.resources)
}

// rescind ends an offer and tells the framework.
func (m *master) rescind(o *offer) {
	m.withdraw(o)
	m.send(o.framework, &scheduler.Event{
		Type: scheduler.Event_RESCIND, Rescind: &scheduler.Event_Rescind{OfferID: mesos.OfferID{Value: o.id}},
	})
}

// decline ends offers; ids that are not outstanding, or not the framework's, are ignored.
func (m *master) decline(f *framework, call *scheduler.Call_Decline) {
	for _, id := range call.OfferIDs {
		if o := f.offers[id.Value]; o != nil {
			m.drop(o)
			m.refuse(f, o.agent, o.role, o.resources, refusalTime(call.Filters))
		}
	}
}

// collect takes the offers of an ACCEPT. Either all of them are as they must be, or none is used: then the text says why
// and what was good among them is given back, to be offered anew.
func (m *master) collect(f *framework, ids []mesos.OfferID) ([]*offer, string) {
	var out []*offer
	why := ""
	if len(ids) == 0 {
		why = "No offers specified"
	}
	for i, id := range ids {
		o := f.offers[id.Value]
		switch {
		case slices.ContainsFunc(ids[:i], func(e mesos.OfferID) bool { return e.Value == id.Value }):
			why = first(why, fmt.Sprintf("Duplicate offer %s in offer list", id.Value))
		case o == nil:
			why = first(why, fmt.Sprintf("Offer %s is no longer valid", id.Value))
		default:
			out = append(out, o)
		}
	}
	for _, o := range out {
		switch {
		case o.agent != out[0].agent:
			why = first(why, fmt.Sprintf("Aggregated offers must belong to one single agent. Offer %s uses agent %s and agent %s",
				o.id, o.agent.id, out[0].agent.id))
		case o.role != out[0].role:
			why = first(why, fmt.Sprintf("Aggregated offers must be allocated to the same role. Offer %s uses role %s but another"+
				" is using role %s", o.id, o.role, out[0].role))
		}
	}
	for _, o := range out {
		m.drop(o)
		if why != "" {
			m.recover(o.agent, o.resources)
		}
	}
	return out, why
}

// first keeps the earliest of several reasons: one is told, and clients compare it.
func first(old, text string) string {
	if old != "" {
		return old
	}
	return text
}

// offersOf puts offers of one framework into an event, in the shape it understands.
func (m *master) offersOf(f *framework, list []*offer) *scheduler.Event {
	out := make([]mesos.Offer, len(list))
	for i, o := range list {
		a := o.agent
		out[i] = mesos.Offer{
			ID: mesos.OfferID{Value: o.id}, FrameworkID: mesos.FrameworkID{Value: f.id}, AgentID: mesos.AgentID{Value: a.id},
			Hostname: a.spec.hostname, URL: a.url, Domain: a.domain, Attributes: a.attributes, Unavailability: a.plan,
			Resources: o.resources.Proto(o.role, f.able.shape),
		}
		if f.able.shape.Allocation {
			out[i].AllocationInfo = &mesos.Resource_AllocationInfo{Role: &o.role}
		}
	}
	return offersEvent(out)
}

func offersEvent(list []mesos.Offer) *scheduler.Event {
	return &scheduler.Event{Type: scheduler.Event_OFFERS, Offers: &scheduler.Event_Offers{Offers: list}}
}

func errorEvent(text string) *scheduler.Event {
	return &scheduler.Event{Type: scheduler.Event_ERROR, Error: &scheduler.Event_Error{Message: text}}
}

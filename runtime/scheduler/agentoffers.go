package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/placement"
)

// agentOffers is a known agent and its offers in hand.
type agentOffers struct {
	agent *placement.Agent
	held  []*placement.Offer // in the order of arrival
	pool  []*placement.Offer // held, pooled; nil when it must be built anew
	room  [1]*placement.Offer
}

// newAgentOffers has room for one offer, as most agents have at a time.
func newAgentOffers() *agentOffers {
	a := &agentOffers{}
	a.held = a.room[:0]
	return a
}

func (a *agentOffers) add(o *placement.Offer) { a.held, a.pool = append(a.held, o), nil }

func (a *agentOffers) remove(o *placement.Offer) {
	if i := slices.Index(a.held, o); i >= 0 {
		a.held = slices.Delete(a.held, i, i+1)
	}
	a.pool = nil
}

func (a *agentOffers) empty() {
	clear(a.held)
	a.held, a.pool = a.held[:0], nil
}

// together returns the agent's offers in hand, pooled. The slice is not the caller's.
// An agent that is not known has none.
func (a *agentOffers) together() []*placement.Offer {
	if a == nil {
		return nil
	}
	if a.pool == nil {
		a.pool = placement.Pool(a.held)
	}
	return a.pool
}

// pooled returns, for offers that were just taken in, the pools that they are now
// part of. The slice is offers itself when none is.
func (b *offerBook) pooled(offers []*placement.Offer) []*placement.Offer {
	if b.crowd == 0 {
		return offers
	}
	out := slices.Clone(offers)
	for i, o := range offers {
		for _, pool := range b.known[o.Agent.ID].together() {
			if slices.Contains(pool.Parts, o) {
				out[i] = pool
			}
		}
	}
	return out
}

// grew tells whether other offers of its agent have joined what is left in hand of
// the offer or pool.
func (b *offerBook) grew(o *placement.Offer) bool {
	if b.crowd == 0 {
		return false
	}
	left := slices.DeleteFunc(o.IDs(), func(id string) bool { return b.find(id) == nil })
	if len(left) == 0 {
		return false
	}
	part := b.find(left[0])
	for _, pool := range b.known[o.Agent.ID].together() {
		if slices.Contains(pool.Parts, part) {
			return len(pool.Parts) > len(left)
		}
	}
	return false
}

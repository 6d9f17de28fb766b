package scheduler

import (
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// offerBook holds the offers in hand and what is known of the agents.
type offerBook struct {
	held  []heldOffer    // in the order of arrival; without an offer where one was taken out
	index map[string]int // offer id → place in held
	known map[string]*agentOffers
	// crowd is how many offers there are beyond the first of each agent.
	crowd int
	// sorted is known in the order of ids, nil when it must be built anew.
	sorted []*placement.Agent
	owed   []string       // offers whose decline was not taken
	payAt  spec.Timestamp // when it is said again
}

// heldOffer is an offer in hand and where the others of its agent are.
type heldOffer struct {
	offer *placement.Offer
	of    *agentOffers
}

func newOfferBook() offerBook {
	return offerBook{index: map[string]int{}, known: map[string]*agentOffers{}}
}

func (b *offerBook) len() int { return len(b.index) }

// add takes offers in. An id that is held already is not taken twice.
func (b *offerBook) add(offers []*placement.Offer) {
	for _, o := range offers {
		if _, dup := b.index[o.ID]; dup {
			continue
		}
		b.index[o.ID] = len(b.held)
		of := b.know(o.Agent)
		b.held = append(b.held, heldOffer{o, of})
		if of.add(o); len(of.held) > 1 {
			b.crowd++
		}
	}
}

// know remembers an agent's latest facts.
func (b *offerBook) know(a *placement.Agent) *agentOffers {
	of := b.known[a.ID]
	if of == nil {
		of = newAgentOffers()
		b.known[a.ID] = of
	}
	if of.agent != a {
		of.agent = a
		b.sorted = nil
	}
	return of
}

// find returns a held offer, or nil.
func (b *offerBook) find(id string) *placement.Offer {
	if i, ok := b.index[id]; ok {
		return b.held[i].offer
	}
	return nil
}

// has tells whether the offer is held, or all parts of a pool.
func (b *offerBook) has(o *placement.Offer) bool {
	if o.Parts == nil {
		return b.find(o.ID) == o
	}
	return !slices.ContainsFunc(o.Parts, func(part *placement.Offer) bool { return b.find(part.ID) != part })
}

// use takes the offer out, or all parts of a pool, and tells how many that are. All
// must be held.
func (b *offerBook) use(o *placement.Offer) int {
	if o.Parts == nil {
		b.remove(o.ID)
		return 1
	}
	for _, part := range o.Parts {
		b.remove(part.ID)
	}
	return len(o.Parts)
}

// take takes the offer out, or what is held of a pool, and appends its ids.
func (b *offerBook) take(ids []string, o *placement.Offer) []string {
	if o.Parts == nil {
		if b.find(o.ID) == o {
			b.remove(o.ID)
			ids = append(ids, o.ID)
		}
		return ids
	}
	for _, part := range o.Parts {
		ids = b.take(ids, part)
	}
	return ids
}

// remove takes an offer out, if it is held.
func (b *offerBook) remove(id string) {
	i, ok := b.index[id]
	if !ok {
		return
	}
	h := b.held[i]
	if h.of.remove(h.offer); len(h.of.held) > 0 {
		b.crowd--
	}
	b.held[i] = heldOffer{}
	delete(b.index, id)
	if len(b.index) == 0 {
		b.held = nil
	}
}

// list returns the held offers for one match, those of an agent pooled. The slice
// is the caller's.
func (b *offerBook) list() []*placement.Offer {
	out := make([]*placement.Offer, 0, len(b.index)-b.crowd)
	for _, h := range b.held {
		switch {
		case h.offer == nil:
		case b.crowd == 0: // mostly: so the agents are not looked at
			out = append(out, h.offer)
		case h.offer == h.of.held[0]:
			out = append(out, h.of.together()...)
		}
	}
	return out
}

// takeAll empties the hand and returns the ids.
func (b *offerBook) takeAll() []string {
	ids := make([]string, 0, len(b.index))
	for _, h := range b.held {
		if h.offer != nil {
			ids = append(ids, h.offer.ID)
		}
	}
	b.empty()
	return ids
}

// empty forgets the offers.
func (b *offerBook) empty() {
	for _, h := range b.held {
		if h.offer != nil {
			h.of.empty()
		}
	}
	b.held, b.crowd = nil, 0
	clear(b.index)
}

// clear forgets the offers, and the declines owed: they are void.
func (b *offerBook) clear() {
	b.empty()
	b.owed = nil
}

// owe remembers offers that the master may still count as ours.
func (b *offerBook) owe(ids []string, payAt spec.Timestamp) {
	b.owed, b.payAt = append(b.owed, ids...), payAt
}

// takeOwed returns the offers whose decline is to be said again.
func (b *offerBook) takeOwed(now spec.Timestamp) []string {
	if now < b.payAt {
		return nil
	}
	owed := b.owed
	b.owed = nil
	return owed
}

// agents returns every agent known, in the order of ids. The slice is never
// changed afterwards.
func (b *offerBook) agents() []*placement.Agent {
	if b.sorted == nil {
		b.sorted = make([]*placement.Agent, 0, len(b.known))
		for _, of := range b.known {
			b.sorted = append(b.sorted, of.agent)
		}
		slices.SortFunc(b.sorted, func(x, y *placement.Agent) int { return strings.Compare(x.ID, y.ID) })
	}
	return b.sorted
}

// forgetAgent drops an agent that left the cluster, with its offers.
func (b *offerBook) forgetAgent(id string) {
	of, ok := b.known[id]
	if !ok {
		return
	}
	delete(b.known, id)
	b.sorted = nil
	for len(of.held) > 0 {
		b.remove(of.held[0].ID)
	}
}

// onOffers takes offers in; whether they are matched or given back is decided
// at the end of the batch.
func (s *Scheduler) onOffers(e Offers) {
	s.counts.OffersReceived += uint64(len(e.Offers))
	s.offers.add(e.Offers)
	s.sightings.see(s.offers.pooled(e.Offers), s.now)
	s.freeStrays(e.Offers)
	s.pending.changed = true
}

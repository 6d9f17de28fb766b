package scheduler

import (
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// offerBook holds the offers in hand and what is known of the agents.
type offerBook struct {
	held  []*placement.Offer // in the order of arrival; nil where one was taken out
	index map[string]int     // offer id → place in held
	known map[string]*placement.Agent
	// sorted is known in the order of ids, nil when it must be built anew.
	sorted []*placement.Agent
	owed   []string       // offers whose decline was not taken
	payAt  spec.Timestamp // when it is said again
}

func newOfferBook() offerBook {
	return offerBook{index: map[string]int{}, known: map[string]*placement.Agent{}}
}

func (b *offerBook) len() int { return len(b.index) }

// add takes offers in. An id that is held already is not taken twice.
func (b *offerBook) add(offers []*placement.Offer) {
	for _, o := range offers {
		if _, dup := b.index[o.ID]; dup {
			continue
		}
		b.index[o.ID] = len(b.held)
		b.held = append(b.held, o)
		b.know(o.Agent)
	}
}

// know remembers an agent's latest facts.
func (b *offerBook) know(a *placement.Agent) {
	if b.known[a.ID] != a {
		b.known[a.ID] = a
		b.sorted = nil
	}
}

// find returns a held offer, or nil.
func (b *offerBook) find(id string) *placement.Offer {
	if i, ok := b.index[id]; ok {
		return b.held[i]
	}
	return nil
}

// remove takes an offer out, if it is held.
func (b *offerBook) remove(id string) {
	i, ok := b.index[id]
	if !ok {
		return
	}
	b.held[i] = nil
	delete(b.index, id)
	if len(b.index) == 0 {
		b.held = nil
	}
}

// list returns the held offers for one match. The slice is the caller's.
func (b *offerBook) list() []*placement.Offer {
	out := make([]*placement.Offer, 0, len(b.index))
	for _, o := range b.held {
		if o != nil {
			out = append(out, o)
		}
	}
	return out
}

// takeAll empties the hand and returns the ids.
func (b *offerBook) takeAll() []string {
	ids := make([]string, 0, len(b.index))
	for _, o := range b.held {
		if o != nil {
			ids = append(ids, o.ID)
		}
	}
	b.held = nil
	clear(b.index)
	return ids
}

// clear forgets the offers, and the declines owed: they are void.
func (b *offerBook) clear() {
	b.held, b.owed = nil, nil
	clear(b.index)
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
		for _, a := range b.known {
			b.sorted = append(b.sorted, a)
		}
		slices.SortFunc(b.sorted, func(x, y *placement.Agent) int { return strings.Compare(x.ID, y.ID) })
	}
	return b.sorted
}

// forgetAgent drops an agent that left the cluster, with its offers.
func (b *offerBook) forgetAgent(id string) {
	if _, ok := b.known[id]; !ok {
		return
	}
	delete(b.known, id)
	b.sorted = nil
	for _, o := range b.held {
		if o != nil && o.Agent.ID == id {
			b.remove(o.ID)
		}
	}
}

// onOffers takes offers in; whether they are matched or given back is decided
// at the end of the batch.
func (s *Scheduler) onOffers(e Offers) {
	s.counts.OffersReceived += uint64(len(e.Offers))
	s.offers.add(e.Offers)
	s.freeStrays(e.Offers)
	s.sightings.see(e.Offers, s.now)
	s.pending.changed = true
}

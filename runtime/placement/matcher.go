package placement

import (
	"context"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Matcher pairs wanted instances with offers. It remembers, from match to match,
// the values of the agents' fields and the verdicts of pure policies. Its zero
// value is ready; it is used by one goroutine at a time.
type Matcher struct {
	// MaxPerOffer is how many instances one match may put on one offer; 0 and
	// less mean any number. An offer that has them is not looked at any more.
	MaxPerOffer int
	// Spread gives every offer an equal share of a match's instances before any
	// offer gets more, so that the loss of an agent costs an app little. Without
	// it offers are filled one after the other.
	Spread bool
	// Terms must not change after the first match.
	Terms

	turn      uint32
	roster    roster
	memory    memory
	table     table
	groupings map[string]*grouping
	rooms     rooms
}

// mostGroupings is how many kinds of grouping are kept between matches.
const mostGroupings = 64

// Match serves the wanted apps round-robin, an instance at a time, from the
// offers in an order that Seed rotates. rules returns the constraints of an app,
// all of which must hold; nil stands for no rules at all. ctx is handed to the
// policies and to nobody else. A policy's fault keeps only its app from being
// placed further: it is in that app's Refusals.
//
// Request.Agents should name the agents of all offers, and list them in the same
// order from match to match: the order is what makes a match cheap.
func (m *Matcher) Match(ctx context.Context, req Request, rules func(*spec.App) []Rule) Result {
	m.begin(&req)
	defer m.end() // also when a policy panics
	seekers := make([]seeker, len(req.Wanted))
	active := make([]*seeker, 0, len(seekers))
	total := 0
	for i := range seekers {
		m.enlist(&seekers[i], &req.Wanted[i], rules)
		if seekers[i].left > 0 {
			active = append(active, &seekers[i])
			total += seekers[i].left
		}
	}
	m.table.slab = newSlab(total)
	result := Result{Placements: make([]Placement, 0, min(total, mostAtOnce))}
	if m.Spread {
		m.table.share(total)
	}
	m.serve(ctx, active, &result)
	for m.table.shared {
		active, left := again(seekers)
		if !m.table.shareMore(left, m.MaxPerOffer) {
			break
		}
		m.serve(ctx, active, &result)
	}
	result.Refusals = make([]Refusals, len(seekers))
	for i := range seekers {
		result.Refusals[i] = m.refusals(ctx, &seekers[i])
		seekers[i].release(m)
	}
	return result
}

// serve places the active seekers' instances until none finds an offer.
func (m *Matcher) serve(ctx context.Context, active []*seeker, result *Result) {
	for len(active) > 0 {
		waiting := active[:0]
		for _, s := range active {
			p := s.next(ctx, m)
			if p < 0 {
				continue
			}
			result.Placements = append(result.Placements, m.table.give(s.wanted, s.requirement, p))
			s.settle(m, p)
			if s.left > 0 {
				waiting = append(waiting, s)
			} else {
				s.release(m) // for the apps behind it
			}
		}
		active = waiting
	}
}

// again returns the seekers that still have instances to place, and how many,
// ready to begin with the first offer: those they passed may have room now.
func again(seekers []seeker) (active []*seeker, left int) {
	for i := range seekers {
		if s := &seekers[i]; s.left > 0 && s.fault == nil {
			s.requirement.floor, s.groups = 0, nil
			active, left = append(active, s), left+s.left
		}
	}
	return active, left
}

// mostAtOnce bounds the room made in advance for placements.
const mostAtOnce = 4096

// begin brings what is remembered up to date with the request. Slots move only
// here: while a match runs a slot means one value.
func (m *Matcher) begin(req *Request) {
	if m.groupings == nil {
		m.roster, m.memory, m.groupings = newRoster(), newMemory(), map[string]*grouping{}
	}
	m.turn++
	m.memory.follow(m.roster.sync(req.Agents))
	m.table.roster = &m.roster
	m.table.begin(req, m.MaxPerOffer, &m.Terms)
}

// end lets go of everything that belongs to the request, so that a matcher at
// rest keeps no offers alive.
func (m *Matcher) end() {
	m.table.end()
	if len(m.groupings) > mostGroupings {
		clear(m.groupings)
	}
	for _, g := range m.groupings {
		g.reset()
	}
	m.memory.sweep(m.turn, &m.roster)
}

// enlist makes the seeker of one Wanted.
func (m *Matcher) enlist(s *seeker, w *Wanted, rules func(*spec.App) []Rule) {
	var list []Rule
	if rules != nil {
		list = rules(w.App)
	}
	known := m.memory.recall(w.App, list, &m.Terms, m.turn)
	r := known.requirement
	if r.turn != m.turn {
		*r = requirement{demand: r.demand, impossible: r.impossible, turn: m.turn, lane: m.table.lane(&r.demand)}
	}
	*s = seeker{wanted: w, requirement: r, memory: known, left: max(0, w.Count)}
	if len(list) > 0 {
		s.rulings = make([]ruling, len(list))
		for i := range list {
			s.rulings[i].rule = &list[i]
		}
	}
}

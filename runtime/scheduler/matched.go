package scheduler

import (
	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Split cuts the answer of a match into pieces of about limit placements, so
// that each fits one transaction. Placements on one offer stay together: an offer
// can be accepted only once. All pieces but the last are Partial.
func (m Matched) Split(limit int) []Matched {
	if len(m.Result.Placements) <= limit {
		return []Matched{m}
	}
	var out []Matched
	var piece []placement.Placement
	for _, group := range byOffer(m.Result.Placements) {
		if len(piece) > 0 && len(piece)+len(group) > limit {
			out = append(out, Matched{Result: placement.Result{Placements: piece}, Partial: true})
			piece = nil
		}
		piece = append(piece, group...)
	}
	last := m
	last.Result.Placements = piece
	return append(out, last)
}

// byOffer groups placements by offer, in the order in which offers first come up.
func byOffer(all []placement.Placement) [][]placement.Placement {
	var groups [][]placement.Placement
	index := make(map[*placement.Offer]int)
	for _, p := range all {
		i, ok := index[p.Offer]
		if !ok {
			i = len(groups)
			index[p.Offer] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// onMatched commits each placement that still holds and gives back the offers
// that nobody could use.
func (s *Scheduler) onMatched(e Matched) {
	if !s.demand.out {
		return // not asked: the answer of an earlier term
	}
	s.launchAll(e.Result.Placements)
	if e.Partial {
		return
	}
	outdated := s.demand.outdated
	s.demand.out, s.demand.outdated = false, false
	for i := range e.Result.Refusals {
		r := &e.Result.Refusals[i]
		if a := s.apps[r.App.ID]; a != nil && a.spec == r.App {
			if outdated && r.Fault != nil {
				s.forgetRefusals(a)
				continue
			}
			a.refusals = r
			if r.Unused() > 0 {
				a.offerTimes.Unused = s.now
			}
			s.touch(a)
			s.judgeFault(a, r.Fault)
		}
	}
	s.returnUnused(e.MatchedOffers)
}

// returnUnused declines what the match looked at and did not use. When a wish
// came up meanwhile, or none is left, those offers are kept: nobody was refused.
// So are those that others of their agent have joined: together they may do.
func (s *Scheduler) returnUnused(offers []*placement.Offer) {
	if left := len(s.wants()); left == 0 || s.demand.fresh {
		return
	}
	var ids []string
	for _, o := range offers {
		if !s.offers.grew(o) {
			ids = s.offers.take(ids, o)
		}
	}
	if len(ids) > 0 {
		s.decline(ids)
	}
}

// launchAll accepts offer by offer. What was placed on an offer that was taken
// back meanwhile, or on a pool that lost a part, is looked at in a later match:
// nothing that is left has refused it.
func (s *Scheduler) launchAll(placements []placement.Placement) {
	cursors := map[*app]int{}
	for _, group := range byOffer(placements) {
		if offer := group[0].Offer; s.offers.has(offer) {
			s.accept(offer, group, cursors)
			continue
		}
		for _, p := range group {
			if a := s.apps[p.App.ID]; a != nil {
				s.want(a)
			}
		}
	}
}

// accept launches what still fits the state on one offer that is held.
func (s *Scheduler) accept(offer *placement.Offer, placements []placement.Placement, cursors map[*app]int) {
	accept := Accept{Offer: offer}
	for _, p := range placements {
		a := s.apps[p.App.ID]
		if a == nil {
			continue
		}
		if !s.stillHolds(a, &p) {
			s.want(a) // a later match looks at it as it is now
			continue
		}
		if p.Held != nil {
			if m := s.placeHolder(a, p.Held); m != nil {
				accept.Tasks = append(accept.Tasks, s.launch(m, p))
			}
		} else if m := a.nextWaiting(cursors); m != nil {
			if len(p.Disks) > 0 {
				accept.Reserve = append(accept.Reserve, s.reserveFor(m, p))
			} else {
				accept.Tasks = append(accept.Tasks, s.launch(m, p))
			}
		}
	}
	if len(accept.Tasks)+len(accept.Reserve) == 0 {
		return // the offer stays in hand for the next match
	}
	s.counts.OffersUsed += uint64(s.offers.use(offer))
	s.call(accept)
}

// stillHolds tells whether a placement is right for the app as it is now.
func (s *Scheduler) stillHolds(a *app, p *placement.Placement) bool {
	if a.removed || a.spec != p.App || s.now < a.backoff.until {
		return false
	}
	return len(a.spec.Constraints) == 0 || a.arrivals == a.matchedAt
}

// nextWaiting returns the app's next member that needs a place. The cursor makes
// a wave of launches one walk over the members.
func (a *app) nextWaiting(cursors map[*app]int) *member {
	for i := cursors[a]; i < len(a.members); i++ {
		if m := a.members[i]; m.inst != nil && m.inst.needsPlace() && m.inst.Reservation == nil {
			cursors[a] = i + 1
			return m
		}
	}
	cursors[a] = len(a.members)
	return nil
}

// launch gives a member its place. Its record is saved before the master hears
// of the task, so a task that nobody knows can never run.
func (s *Scheduler) launch(m *member, p placement.Placement) launch.Task {
	next := &Instance{
		ID:          m.inst.ID,
		App:         m.app.spec.ID,
		Version:     m.app.spec.Version,
		Incarnation: m.inst.Incarnation + 1,
		Condition:   Provisioned,
		Agent:       p.Offer.Agent,
		Ports:       p.Ports,
		Role:        m.app.spec.Role,
		StagedAt:    s.now,
		Since:       s.now,
		Reservation: m.inst.Reservation.confirmed(),
	}
	s.put(m, next)
	s.save(m)
	m.app.offerTimes.Used = s.now
	s.counts.Launched++
	s.advanceBackoff(m.app)
	s.alarms.add(alarm{
		at: s.now.Add(s.cfg.ConfirmTimeout), kind: alarmOverdue, member: m, incarnation: next.Incarnation,
	})
	s.notify(InstanceChanged{At: s.now, Instance: next})
	return launch.Task{ID: next.TaskID(), App: m.app.spec, Place: p, EnforceGroupRole: s.enforcesRole(m.app.spec.ID)}
}

// enforcesRole tells whether the app's top-level group has its name as the role
// of its services.
func (s *Scheduler) enforcesRole(id spec.PathID) bool {
	name := id.Top()
	if name == "" {
		return false
	}
	g := s.tree.Group(spec.Root + spec.PathID(name))
	return g != nil && g.EnforceRole
}

// save marks the member's record as changed.
func (s *Scheduler) save(m *member) {
	m.saved = true
	s.dirty(instanceKey(m.inst.ID))
}

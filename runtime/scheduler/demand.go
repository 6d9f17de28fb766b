package scheduler

import (
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// told is what the master was last told about our wish for offers.
type told uint8

const (
	toldNothing told = iota // or what was told may be lost
	toldRevive
	toldSuppress
)

// demand derives revive, suppress and decline from the set of apps that need
// places. Nobody has to remember to call for offers.
type demand struct {
	apps []*app // that may need places, in the order in which they began to; app.wanting tells membership
	told told
	// fresh: a wish came up since the last match began or the last revive was
	// sent, so that no offer can have been refused to it yet.
	fresh bool
	// blockedUntil holds calls back after one was not taken.
	blockedUntil spec.Timestamp
	tokens       int // revives that may be sent at once
	refilledAt   spec.Timestamp
	out          bool           // a match is under way
	outdated     bool           // it asks policies that were replaced meanwhile
	wishedAt     spec.Timestamp // when an app last needed a place
	restAt       spec.Timestamp // an alarm is set for the end of the hold after wishedAt
}

// reviveBurst is how many revives may follow each other quickly. Marathon sends
// one per interval; a burst lets the first apps of a quiet cluster start at once
// while the rate over time stays the same.
const reviveBurst = 20

// want enters an app that has instances without a place.
func (s *Scheduler) want(a *app) {
	if a.waiting() == 0 || a.removed || s.heldBack(a) {
		return
	}
	s.addRole(a.spec.Role)
	if !a.wanting {
		a.wanting = true
		s.demand.apps = append(s.demand.apps, a)
	}
	s.demand.fresh = true
}

// wants drops the apps that need nothing any more and returns the others.
func (s *Scheduler) wants() []*app {
	kept := s.demand.apps[:0]
	for _, a := range s.demand.apps {
		if a.wanting = a.waiting() > 0 && !a.removed && !s.heldBack(a); a.wanting {
			kept = append(kept, a)
		}
	}
	clear(s.demand.apps[len(kept):])
	s.demand.apps = kept
	return kept
}

// serveDemand ends a batch: it gives back offers that nobody needs, asks for
// more or none, and starts the next match when there is something to match.
func (s *Scheduler) serveDemand() *placement.Request {
	if !s.master.subscribed {
		return nil
	}
	apps := s.wants()
	s.tellRoles()
	s.payDeclines()
	if s.stray && s.offers.len() > 0 {
		s.freeStrays(s.offers.list())
	}
	s.stray = false
	if len(apps) == 0 {
		if len(s.releases) > 0 {
			s.declineHeld()
			s.revive()
			return nil
		}
		s.rest()
		return nil
	}
	s.demand.wishedAt = s.now
	s.suppressIdle(apps)
	if s.demand.out {
		return nil
	}
	if s.offers.len() > 0 {
		return s.startMatch(apps)
	}
	s.revive()
	return nil
}

// rest gives offers back and suppresses them, a little after the last wish was
// fulfilled: a wish that comes right behind it, as most do, finds offers in hand
// and needs no revive.
func (s *Scheduler) rest() {
	d := &s.demand
	d.fresh = false
	if until := d.wishedAt.Add(s.cfg.OfferHold); d.wishedAt != 0 && s.now < until {
		if d.restAt != until {
			d.restAt = until
			s.alarms.add(alarm{at: until, kind: alarmDemand})
		}
		return
	}
	s.declineHeld()
	s.suppress()
}

// startMatch asks for places for all apps that need them over all offers held.
func (s *Scheduler) startMatch(apps []*app) *placement.Request {
	s.demand.out, s.demand.fresh = true, false
	wanted := make([]placement.Wanted, 0, len(apps))
	for _, a := range apps {
		if a.spec.Resident() {
			a.matchedAt = a.arrivals
			wanted = append(wanted, s.residents(a)...)
			continue
		}
		w := placement.Wanted{App: a.spec, Count: a.waiting()}
		if a.matchedAt = a.arrivals; len(a.spec.Constraints) > 0 {
			w.Placed = a.placed()
		}
		wanted = append(wanted, w)
	}
	return s.request(wanted)
}

// placed returns the agents of the instances that constraints count: those that
// exist on an agent, unless an older configuration launched them, and those that
// have something reserved there.
func (a *app) placed() []*placement.Agent { return a.placedBut(nil) }

// placedBut is placed without one of the members.
func (a *app) placedBut(but *member) []*placement.Agent {
	var agents []*placement.Agent
	for _, m := range a.members {
		i := m.inst
		if i == nil || i.Agent == nil || m == but {
			continue
		}
		if i.Reservation != nil || i.placed() && i.Version >= a.spec.LastConfigChangeAt {
			agents = append(agents, i.Agent)
		}
	}
	return agents
}

// placed tells whether constraints count the instance. One that just went out of
// reach is not counted, one that was replaced for it is.
func (i *Instance) placed() bool {
	return i.Condition >= Provisioned && i.Condition <= Killing || i.Condition == UnreachableInactive
}

// declineHeld gives all offers back while no match looks at them.
func (s *Scheduler) declineHeld() {
	if !s.demand.out && s.offers.len() > 0 {
		s.decline(s.offers.takeAll())
	}
}

func (s *Scheduler) decline(ids []string) {
	s.counts.OffersDeclined += uint64(len(ids))
	s.call(Decline{OfferIDs: ids, Refuse: s.cfg.DeclineFor})
}

// payDeclines repeats declines that were not taken, lest the offers stay ours
// in the master's books for ever.
func (s *Scheduler) payDeclines() {
	if owed := s.offers.takeOwed(s.now); len(owed) > 0 {
		s.call(Decline{OfferIDs: owed, Refuse: s.cfg.DeclineFor})
	}
}

func (s *Scheduler) suppress() {
	if s.demand.told != toldSuppress && s.now >= s.demand.blockedUntil {
		s.demand.told, s.roles.revived = toldSuppress, nil
		s.counts.Suppresses++
		s.call(Suppress{Roles: s.roles.all})
	}
}

// revive asks for offers for the roles of those that need places, when the master
// believes that we want none, or when a new wish came up that earlier refusals must not hold back.
func (s *Scheduler) revive() {
	roles := s.wantedRoles(s.demand.apps)
	if len(roles) == 0 {
		roles = s.roles.all
	}
	if s.demand.told != toldRevive {
		s.roles.revived = nil
	}
	missed := without(roles, s.roles.revived)
	if s.demand.told == toldRevive && !s.demand.fresh && len(missed) == 0 {
		return
	}
	if wait := s.reviveAllowedAt(); wait > s.now {
		s.alarms.add(alarm{at: wait, kind: alarmDemand})
		return
	}
	s.demand.tokens--
	s.demand.told, s.demand.fresh = toldRevive, false
	s.counts.Revives++
	s.roles.revived = append(s.roles.revived, missed...)
	s.call(Revive{Roles: roles})
}

// reviveAllowedAt returns when the next revive may be sent, now or later.
func (s *Scheduler) reviveAllowedAt() spec.Timestamp {
	d, every := &s.demand, s.cfg.ReviveInterval
	if d.refilledAt == 0 {
		d.tokens, d.refilledAt = reviveBurst, s.now
	}
	for d.tokens < reviveBurst && s.now >= d.refilledAt.Add(every) {
		d.tokens++
		d.refilledAt = d.refilledAt.Add(every)
	}
	if d.tokens == reviveBurst {
		d.refilledAt = s.now
	}
	if d.tokens > 0 {
		return max(s.now, d.blockedUntil)
	}
	return max(d.refilledAt.Add(every), d.blockedUntil)
}

package scheduler

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// releaseDoubt is how long offers are asked for when nobody knows whether there is
// a reservation, or whether it was given back: a master does not say that it did
// not do an operation. It has to be longer than agents are out of reach for usually.
const releaseDoubt = 10 * time.Minute

// releaseSure is how long offers are asked for when there is a reservation to be
// given back. Its agent may have gone for good, which nobody says.
const releaseSure = 24 * time.Hour

// release is a reservation that is to be given back, although its instance is
// gone. It sees to it that offers come: what an offer says is what is freed.
type release struct {
	Agent string         `json:"agent"`
	Role  string         `json:"role"` // that it is reserved for: it is offered to no other
	Until spec.Timestamp `json:"until"`
}

// releaseOf has the reservation of an instance that goes given back.
func (s *Scheduler) releaseOf(i *Instance) {
	r := release{Agent: i.Agent.ID, Role: i.Role, Until: s.now.Add(releaseSure)}
	if i.Reservation.Deadline != 0 {
		r.Until = s.now.Add(releaseDoubt)
	}
	s.owe(i.ID, r)
}

// owe notes a release that offers are wanted for, and has those in hand looked
// through.
func (s *Scheduler) owe(id UUID, r release) {
	s.note(id, r)
	s.demand.fresh, s.stray = true, true
}

// note has a release waited for.
func (s *Scheduler) note(id UUID, r release) {
	s.releases[id] = r
	s.addRole(r.Role)
	s.dirty(releaseKey(id))
	s.alarms.add(alarm{at: r.Until, kind: alarmRelease})
}

// prolongReleases lets those of an agent that was lost wait for its return.
func (s *Scheduler) prolongReleases(agent string) {
	for _, id := range s.releasesInOrder() {
		if r := s.releases[id]; r.Agent == agent {
			s.note(id, release{Agent: agent, Role: r.Role, Until: max(r.Until, s.now.Add(releaseDoubt))})
		}
	}
}

// releasesInOrder lists them in the order of their instances' ids.
func (s *Scheduler) releasesInOrder() []UUID {
	return slices.SortedFunc(maps.Keys(s.releases), func(x, y UUID) int { return bytes.Compare(x[:], y[:]) })
}

// endReleases forgets those whose time is over.
func (s *Scheduler) endReleases() {
	for _, id := range s.releasesInOrder() {
		if r := s.releases[id]; s.now >= r.Until {
			delete(s.releases, id)
			s.dirty(releaseKey(id))
		}
	}
}

// freeStrays gives back what offers in hand hold for instances that are gone. An
// offer of which something is given back is used up: the rest comes again.
func (s *Scheduler) freeStrays(offers []*placement.Offer) {
	for _, o := range offers {
		free := s.strays(o)
		if len(free) == 0 || !s.offers.has(o) {
			continue
		}
		s.offers.use(o)
		s.call(Accept{Offer: o, Free: free})
		for i := range free {
			if id := instanceUUID(free[i].Instance); id != (UUID{}) {
				s.note(id, release{Agent: o.Agent.ID, Role: o.Role, Until: s.now.Add(releaseDoubt)})
			}
		}
	}
}

// strays are the holdings in an offer that no instance stands for.
func (s *Scheduler) strays(o *placement.Offer) []launch.Holding {
	var found []launch.Holding
	at := func(r *placement.Reservation) *launch.Holding {
		owner, ok := r.Owner()
		if !ok || owner.Framework != s.master.frameworkID || s.isHeld(owner.Instance, o.Agent.ID) {
			return nil
		}
		for i := range found {
			if found[i].Instance == owner.Instance {
				return &found[i]
			}
		}
		found = append(found, launch.Holding{Instance: owner.Instance})
		return &found[len(found)-1]
	}
	for i := range o.Shares {
		if h := at(&o.Shares[i].Reservation); h != nil {
			h.Shares = append(h.Shares, o.Shares[i])
		}
	}
	for i := range o.Disks {
		if h := at(&o.Disks[i].Reservation); h != nil {
			h.Disks = append(h.Disks, o.Disks[i])
		}
	}
	return found
}

// isHeld tells whether an instance holds a reservation on the agent.
func (s *Scheduler) isHeld(instance, agent string) bool {
	m := s.members[instanceUUID(instance)]
	return m != nil && m.inst.Reservation != nil && m.inst.Agent.ID == agent
}

func releaseKey(id UUID) string { return releasePrefix + id.String() }

// releaseID undoes releaseKey.
func releaseID(key string) (UUID, error) { return ParseUUID(strings.TrimPrefix(key, releasePrefix)) }

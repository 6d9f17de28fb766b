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

// Reservation is what an instance holds on its agent: the resources of its tasks,
// and volumes. It stays when a task ends. A value is never changed.
type Reservation struct {
	Volumes []LocalVolume // in the order of the app's persistent volumes
	// Deadline is when it is given up unless it was offered by then; 0 once a task
	// was launched on it.
	Deadline spec.Timestamp
}

// LocalVolume is one persistent volume of an instance.
type LocalVolume struct {
	ContainerPath string
	UUID          UUID
}

// PersistenceID returns the id by which Mesos knows the volume:
// "prod_db#data#<uuid>".
func (i *Instance) PersistenceID(v LocalVolume) string {
	return i.App.Safe() + "#" + v.ContainerPath + "#" + v.UUID.String()
}

// dormant tells whether the instance only keeps its reservation: it is to have no
// task, and has none that anybody could reach.
func (i *Instance) dormant() bool {
	return i.Goal == GoalStopped && (i.Condition == Scheduled || i.Condition.Terminal() ||
		i.Condition == Unreachable || i.Condition == UnreachableInactive)
}

// keeps tells whether the member is stopped where others are forgotten: there may
// be data on its volumes, and its app may want them again.
func (s *Scheduler) keeps(m *member) bool {
	r := m.inst.Reservation
	return r != nil && r.Deadline == 0 && !m.app.removed && m.inst.Goal != GoalDecommissioned && s.fits(m)
}

// fits tells whether what the member holds is what its app asks for. It is not
// when the app was deleted and another was made in its place.
func (s *Scheduler) fits(m *member) bool {
	a, def := m.app.spec, s.definitions.find(m.app.spec.ID, m.inst.Version)
	if def == nil || def.app == a {
		return a.Resident()
	}
	b := def.app
	return a.CPUs == b.CPUs && a.Mem == b.Mem && a.Disk == b.Disk && a.GPUs == b.GPUs && a.Role == b.Role &&
		len(a.PortDefinitions) == len(b.PortDefinitions) && slices.Equal(volumesOf(a), volumesOf(b))
}

// volumeShape is what of a persistent volume its reservation depends on.
type volumeShape struct {
	path, kind, profile string
	size                int64
}

func volumesOf(a *spec.App) (shapes []volumeShape) {
	if a.Container == nil {
		return nil
	}
	for i := range a.Container.Volumes {
		if v := &a.Container.Volumes[i]; v.Persistent != nil {
			shapes = append(shapes, volumeShape{v.ContainerPath, v.Persistent.Type, v.Persistent.ProfileName, v.Persistent.Size})
		}
	}
	return shapes
}

// dropMisfits ends instances of an app that was deleted and came back as another.
func (s *Scheduler) dropMisfits(a *app) {
	for _, m := range slices.Clone(a.members) {
		if m.inst != nil && m.inst.Reservation != nil && !s.fits(m) {
			s.doom(m)
		}
	}
}

// stop ends the task of an instance that keeps its reservation.
func (s *Scheduler) stop(m *member) {
	if m.inst.Goal == GoalStopped {
		return
	}
	next := *m.inst
	next.Goal = GoalStopped
	s.put(m, &next)
	s.save(m)
	s.notify(InstanceChanged{At: s.now, Instance: &next})
	if !next.dormant() {
		s.killMember(m)
	}
}

// rouse has a stopped instance run again, as the app is now. It reports whether
// there was one.
func (s *Scheduler) rouse(a *app) bool {
	for _, m := range a.members {
		if m.inst == nil || !m.inst.dormant() || m.inst.mayExist() || !s.fits(m) {
			continue
		}
		next := *m.inst
		next.Goal, next.Version = GoalRunning, a.spec.Version
		s.put(m, &next)
		s.save(m)
		if a.lock != nil && a.upgrade == nil {
			s.await(m)
		}
		s.notify(InstanceChanged{At: s.now, Instance: &next})
		return true
	}
	return false
}

// preferStopped has instances that have just stopped run in the place of new ones
// that hold nothing yet: the agents that the new ones may use may all be theirs.
func (s *Scheduler) preferStopped(a *app) {
	for _, m := range slices.Clone(a.members) {
		if m.inst == nil || !m.inst.needsPlace() || m.inst.Reservation != nil {
			continue
		}
		if !s.rouse(a) {
			return
		}
		s.doom(m)
		s.want(a)
	}
}

// owner is how Mesos is told whose a reservation is.
func (s *Scheduler) owner(i *Instance) placement.Owner {
	return placement.Owner{Framework: s.master.frameworkID, Instance: i.InstanceID()}
}

// held is what the instance holds, for a match; nil when it holds nothing.
func (s *Scheduler) held(i *Instance) *placement.Held {
	if i.Reservation == nil {
		return nil
	}
	h := &placement.Held{Owner: s.owner(i), AgentID: i.Agent.ID}
	for _, v := range i.Reservation.Volumes {
		h.Volumes = append(h.Volumes, i.PersistenceID(v))
	}
	return h
}

// residents are the app's wishes one by one where instances hold reservations, and
// those of the others together. An instance does not stand in its own way.
func (s *Scheduler) residents(a *app) []placement.Wanted {
	var wanted []placement.Wanted
	free := 0
	constrained := len(a.spec.Constraints) > 0
	for _, m := range a.members {
		switch {
		case m.inst == nil || !m.inst.needsPlace():
		case m.inst.Reservation == nil:
			free++
		default:
			w := placement.Wanted{App: a.spec, Count: 1, Held: s.held(m.inst)}
			if constrained {
				w.Placed = a.placedBut(m)
			}
			wanted = append(wanted, w)
		}
	}
	if free > 0 {
		w := placement.Wanted{App: a.spec, Count: free}
		if constrained {
			w.Placed = a.placed()
		}
		wanted = append(wanted, w)
	}
	return wanted
}

// placeHolder returns the member that waits for what was placed on its reservation;
// nil when there is none any more.
func (s *Scheduler) placeHolder(a *app, h *placement.Held) *member {
	m := s.members[instanceUUID(h.Owner.Instance)]
	if m == nil || m.app != a || !m.inst.needsPlace() || m.inst.Reservation == nil {
		return nil
	}
	if now := s.held(m.inst); now.AgentID != h.AgentID || !slices.Equal(now.Volumes, h.Volumes) {
		return nil
	}
	return m
}

// instanceUUID reads the id of an instance, or of a task of one; the zero UUID, of
// which there is no instance, when it is none.
func instanceUUID(id string) UUID {
	if name, err := ReadTaskID(id); err == nil {
		return name.Instance
	}
	return UUID{}
}

// reserveFor notes what a member is to hold, before the master hears of it. It is
// launched when that is offered.
func (s *Scheduler) reserveFor(m *member, p placement.Placement) launch.Holding {
	deadline := s.now.Add(s.cfg.ReservationTimeout)
	r := &Reservation{Deadline: deadline}
	next := *m.inst
	next.Agent, next.Reservation = p.Offer.Agent, r
	next.Version, next.Role = m.app.spec.Version, m.app.spec.Role
	mark := placement.Reservation{
		Role: next.Role, Dynamic: true, Principal: s.cfg.Principal, Labels: s.owner(&next).Labels(),
	}
	h := launch.Holding{Instance: next.InstanceID(), Shares: slices.Clone(p.Take), Disks: slices.Clone(p.Disks)}
	for i := range h.Shares {
		h.Shares[i].Reservation = mark
	}
	for i := range h.Disks {
		d := &h.Disks[i]
		v := LocalVolume{ContainerPath: d.Volume.ContainerPath, UUID: s.ids.next()}
		r.Volumes = append(r.Volumes, v)
		d.Reservation, d.Volume.ID, d.Volume.Principal = mark, next.PersistenceID(v), s.cfg.Principal
	}
	s.put(m, &next)
	s.save(m)
	m.app.offerTimes.Used = s.now
	s.alarms.add(alarm{at: deadline, kind: alarmReservation, member: m})
	return h
}

// reservationLate gives up on a reservation that was never offered. Should it
// exist after all it is given back.
func (s *Scheduler) reservationLate(m *member) {
	if m.inst == nil || m.inst.Reservation == nil {
		return
	}
	if d := m.inst.Reservation.Deadline; d == 0 || s.now < d {
		return
	}
	gone := *m.inst
	gone.Goal = GoalDecommissioned
	s.expunge(m)
	s.notify(InstanceChanged{At: s.now, Instance: &gone})
	s.settle(m.app)
}

// confirmed is the reservation once a task was launched on it.
func (r *Reservation) confirmed() *Reservation {
	if r == nil || r.Deadline == 0 {
		return r
	}
	return &Reservation{Volumes: r.Volumes}
}

// loseReservation has an instance begin anew whose agent an operator gave up: what
// it held is gone with the agent.
func (s *Scheduler) loseReservation(m *member) {
	next := *m.inst
	next.Reservation, next.Agent, next.Ports, next.IPs, next.Healthy = nil, nil, nil, nil, nil
	next.Condition, next.Since = Scheduled, s.now
	s.put(m, &next)
	s.save(m)
	s.notify(InstanceChanged{At: s.now, Instance: &next})
	if next.Goal != GoalRunning {
		s.expunge(m) // nothing is left to keep it for
	}
}

// noPrincipal refuses an app that could never make its reservations.
func (s *Scheduler) noPrincipal(a *spec.App) error {
	if s.cfg.Principal != "" || !a.Resident() {
		return nil
	}
	f := spec.Faults{Message: spec.MessageInvalidObject}
	f.Add("/container/volumes", "persistent volumes need --mesos_authentication_principal to be set")
	return f.Err()
}

// unprincipled is what apps with persistent volumes ask for and do not get.
const unprincipled = "persistent volumes (--mesos_authentication_principal is not set)"

// uncovered names what keeps an app from being launched.
func (s *Scheduler) uncovered(a *spec.App) []string {
	names := s.cfg.Uncovered(a)
	if s.noPrincipal(a) != nil {
		names = append(slices.Clip(names), unprincipled)
	}
	return names
}

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
	Until spec.Timestamp `json:"until"`
}

// releaseOf has the reservation of an instance that goes given back.
func (s *Scheduler) releaseOf(i *Instance) {
	r := release{Agent: i.Agent.ID, Until: s.now.Add(releaseSure)}
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
	s.dirty(releaseKey(id))
	s.alarms.add(alarm{at: r.Until, kind: alarmRelease})
}

// prolongReleases lets those of an agent that was lost wait for its return.
func (s *Scheduler) prolongReleases(agent string) {
	for _, id := range s.releasesInOrder() {
		if r := s.releases[id]; r.Agent == agent {
			s.note(id, release{Agent: agent, Until: max(r.Until, s.now.Add(releaseDoubt))})
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
		if len(free) == 0 || s.offers.find(o.ID) != o {
			continue
		}
		s.offers.remove(o.ID)
		s.call(Accept{Offer: o, Free: free})
		for i := range free {
			if id := instanceUUID(free[i].Instance); id != (UUID{}) {
				s.note(id, release{Agent: o.Agent.ID, Until: s.now.Add(releaseDoubt)})
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

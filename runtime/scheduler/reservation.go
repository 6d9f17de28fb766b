package scheduler

import (
	"slices"

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

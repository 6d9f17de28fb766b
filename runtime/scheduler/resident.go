package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

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

// loseReservation has an instance begin anew whose agent an operator gave up: what
// it held is gone with the agent.
func (s *Scheduler) loseReservation(m *member) {
	next := *m.inst
	next.Reservation, next.Agent, next.Ports, next.IPs = nil, nil, nil, nil
	next.Healthy, next.Found = nil, nil
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

package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// onKillInstances ends tasks for a user.
func (s *Scheduler) onKillInstances(c KillInstances) {
	reply := Reply{Request: c.Request}
	var touched []*app
	for _, id := range c.Instances {
		m := s.members[id]
		if m == nil {
			continue
		}
		reply.Killed = append(reply.Killed, m.inst)
		if !slices.Contains(touched, m.app) {
			touched = append(touched, m.app)
		}
		if c.Wipe {
			s.wipe(m)
		} else {
			s.killTask(m)
		}
	}
	s.reply(reply)
	for _, a := range touched {
		s.settle(a)
	}
}

// killTask ends a task; its instance is launched again. One that nobody can reach
// is given up at once.
func (s *Scheduler) killTask(m *member) {
	switch c := m.inst.Condition; {
	case m.inst.needsPlace(), m.inst.dormant():
	case (c == Unreachable || c == UnreachableInactive) && m.inst.Reservation != nil:
		// Another cannot take its place: it waits for its agent.
	case c == Unreachable, c == UnreachableInactive:
		s.doom(m)
	default:
		m.killing = m.inst.Incarnation
		s.killMember(m)
	}
}

// wipe forgets an instance at once, whatever becomes of its task: should it live
// on it is unknown, and is killed for that.
func (s *Scheduler) wipe(m *member) {
	if m.inst.mayExist() {
		s.kill(m.inst.TaskID(), m.inst.Agent.ID)
	}
	gone := *m.inst
	gone.Goal = GoalDecommissioned
	s.expunge(m)
	s.notify(InstanceChanged{At: s.now, Instance: &gone})
}

// onResetDelay forgets the delay of an app that waits, and the pause after a fault.
func (s *Scheduler) onResetDelay(c ResetDelay) {
	a := s.apps[c.App]
	if a == nil || a.removed || a.waiting() == 0 {
		s.reply(Reply{Request: c.Request, Err: &NotWaiting{App: c.App}})
		return
	}
	s.clearBackoff(a)
	s.endPause(a)
	s.want(a)
	s.reply(Reply{Request: c.Request})
}

// onSetEnforceRole changes what a group says of roles, and nothing else.
func (s *Scheduler) onSetEnforceRole(c SetEnforceRole) {
	g := s.tree.Group(c.Group)
	if g == nil {
		s.reply(Reply{Request: c.Request, Err: &GroupNotFound{Group: c.Group}})
		return
	}
	if err := s.checkReviewed(c.Reviewed, c.Group); err != nil {
		s.reply(Reply{Request: c.Request, Err: err})
		return
	}
	if g.EnforceRole != c.Enforce {
		changed := *g
		changed.EnforceRole = c.Enforce
		s.tree = s.tree.With(spec.TreeChange{Version: s.tree.Version, Groups: map[spec.PathID]*spec.Group{g.ID: &changed}})
		if n := len(s.revisions); n > 0 {
			last := *s.revisions[n-1]
			last.tree = s.tree
			s.revisions = append(slices.Clone(s.revisions[:n-1]), &last)
		}
		s.dirty(groupKey(g.ID))
		s.pending.changed = true
	}
	s.reply(Reply{Request: c.Request})
}

// doom gives an instance the goal to end, and sees to it.
func (s *Scheduler) doom(m *member) {
	s.unawait(m)
	if s.keeps(m) {
		s.stop(m)
		return
	}
	c := m.inst.Condition
	if c == Scheduled || c.Terminal() || c == Unreachable || c == UnreachableInactive {
		// Nothing to kill, or nobody to tell. Should an unreachable task come
		// back it is unknown then, and is killed for that.
		gone := *m.inst
		gone.Goal = GoalDecommissioned
		s.expunge(m)
		s.notify(InstanceChanged{At: s.now, Instance: &gone})
		return
	}
	if m.inst.Goal != GoalDecommissioned {
		next := *m.inst
		next.Goal = GoalDecommissioned
		s.put(m, &next)
		s.save(m)
		s.notify(InstanceChanged{At: s.now, Instance: &next})
	}
	s.killMember(m)
}

// killMember tells the master, and again later as long as it has no effect.
func (s *Scheduler) killMember(m *member) {
	s.kill(m.inst.TaskID(), m.inst.Agent.ID)
	s.alarms.add(alarm{at: s.now.Add(s.cfg.KillRetry), kind: alarmKill, member: m, incarnation: m.inst.Incarnation})
}

// killAgain repeats a kill that has not shown its effect.
func (s *Scheduler) killAgain(m *member) {
	if m.inst == nil || m.inst.Condition.Terminal() {
		return
	}
	if m.inst.dormant() {
		return
	}
	again := m.killing == m.inst.Incarnation && m.inst.launched()
	switch {
	case s.master.subscribed && (again || m.inst.Goal != GoalRunning):
		s.killMember(m)
	case again: // what is to end for good is killed at the next subscription
		s.alarms.add(alarm{at: s.now.Add(s.cfg.KillRetry), kind: alarmKill, member: m, incarnation: m.inst.Incarnation})
	}
}

// killAllDoomed repeats every kill under way to a master that may not know it.
func (s *Scheduler) killAllDoomed() {
	for _, a := range s.appsInOrder() {
		if a.doomed() == 0 {
			continue
		}
		for _, m := range a.members {
			if m.inst != nil && m.inst.Goal != GoalRunning && m.inst.mayExist() {
				s.killMember(m)
			}
		}
	}
}

// overdue kills a launch that took too long to show or to start. Its goal stays:
// the instance is launched again once the end is confirmed.
func (s *Scheduler) overdue(m *member, incarnation uint32) {
	if m.inst == nil || m.inst.Incarnation != incarnation || !s.master.subscribed {
		s.lookAgain(m, incarnation)
		return
	}
	switch m.inst.Condition {
	case Provisioned:
	case Staging, Starting:
		if due := m.inst.StagedAt.Add(s.cfg.LaunchTimeout); s.now < due {
			s.alarms.add(alarm{at: due, kind: alarmOverdue, member: m, incarnation: incarnation})
			return
		}
	default:
		return
	}
	s.kill(m.inst.TaskID(), m.inst.Agent.ID)
	s.alarms.add(alarm{at: s.now.Add(s.cfg.KillRetry), kind: alarmOverdue, member: m, incarnation: incarnation})
}

// lookAgain keeps an overdue launch in sight while there is no master to tell.
func (s *Scheduler) lookAgain(m *member, incarnation uint32) {
	if m.inst != nil && m.inst.Incarnation == incarnation && m.inst.Condition <= Starting {
		s.alarms.add(alarm{at: s.now.Add(s.cfg.KillRetry), kind: alarmOverdue, member: m, incarnation: incarnation})
	}
}

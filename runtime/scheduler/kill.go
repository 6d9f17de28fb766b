package scheduler

// doom gives an instance the goal to end, and sees to it.
func (s *Scheduler) doom(m *member) {
	s.unawait(m)
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
	if m.inst != nil && m.inst.Goal == GoalDecommissioned && s.master.subscribed {
		s.killMember(m)
	}
}

// killAllDoomed repeats every kill under way to a master that may not know it.
func (s *Scheduler) killAllDoomed() {
	for _, a := range s.appsInOrder() {
		if a.doomed() == 0 {
			continue
		}
		for _, m := range a.members {
			if m.inst != nil && m.inst.Goal == GoalDecommissioned {
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

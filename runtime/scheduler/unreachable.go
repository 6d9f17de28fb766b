package scheduler

import "github.com/pacer-run/pacer/runtime/spec"

// unreachableSince returns when contact to the instance was lost, 0 when there
// is contact.
func (s *Scheduler) unreachableSince(i *Instance, st *Status) spec.Timestamp {
	if i.Condition != Unreachable && i.Condition != UnreachableInactive {
		return 0
	}
	if i.UnreachableSince != 0 {
		return i.UnreachableSince
	}
	if t := spec.Timestamp(st.UnreachableSince); t != 0 && t < s.now {
		return t
	}
	return s.now
}

// judgeUnreachable replaces an instance that has been out of reach for long
// enough, and forgets it later. It runs when contact is lost and whenever one of
// the two times has come.
func (s *Scheduler) judgeUnreachable(m *member) {
	i := m.inst
	if i == nil || i.Condition != Unreachable && i.Condition != UnreachableInactive {
		return
	}
	strategy := m.app.spec.UnreachableStrategy
	if i.Goal == GoalDecommissioned {
		s.expunge(m)
		s.settle(m.app)
		return
	}
	if strategy.Disabled {
		return
	}
	inactiveAt := i.UnreachableSince.Add(strategy.InactiveAfter)
	expungeAt := i.UnreachableSince.Add(strategy.ExpungeAfter)
	switch {
	case s.now >= expungeAt:
		s.expunge(m)
		s.settle(m.app)
		return
	case s.now >= inactiveAt && i.Condition == Unreachable:
		next := *i
		next.Condition, next.Since = UnreachableInactive, s.now
		s.unawait(m)
		s.put(m, &next)
		s.save(m)
		s.notify(InstanceChanged{At: s.now, Instance: &next})
		s.settle(m.app)
	case s.now < inactiveAt:
		s.alarms.add(alarm{at: inactiveAt, kind: alarmUnreachable, member: m})
	}
	s.alarms.add(alarm{at: expungeAt, kind: alarmUnreachable, member: m})
}

package scheduler

import (
	"cmp"
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// settle brings an app's instances to its target and moves its deployment on.
// It is called after every change that may matter and does nothing when all is
// as it should be.
func (s *Scheduler) settle(a *app) {
	switch {
	case a.removed && a.total() == 0:
		s.forget(a)
	case a.removed:
	case a.upgrade != nil:
		s.look(a)
	default:
		s.converge(a)
	}
	if a.lock != nil {
		s.progress(a.lock)
	}
}

// converge creates missing instances and dooms surplus ones.
func (s *Scheduler) converge(a *app) {
	switch held := a.held(); {
	case held < a.target:
		for range a.target - held {
			s.addMember(a)
		}
		s.want(a)
	case held > a.target:
		for _, m := range a.victims(held-a.target, func(*member) bool { return true }) {
			s.doom(m)
		}
	}
}

// doomAll ends every instance of an app.
func (s *Scheduler) doomAll(a *app) {
	for _, m := range slices.Clone(a.members) {
		if m.inst != nil && (m.inst.Goal != GoalDecommissioned || !m.inst.mayExist()) {
			s.doom(m)
		}
	}
}

// victims picks n of some instances to end: those without a task first, then those that
// do not run well, then such that GROUP_BY stays balanced, then by the app's kill
// selection.
func (a *app) victims(n int, of func(*member) bool) []*member {
	var all []*member
	for _, m := range a.members {
		if m.inst != nil && of(m) && m.inst.Goal == GoalRunning && m.inst.Condition != UnreachableInactive {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(x, y *member) int {
		return cmp.Or(cmp.Compare(x.inst.killRank(), y.inst.killRank()), a.byAge(x.inst, y.inst))
	})
	bad := slices.IndexFunc(all, func(m *member) bool { return m.inst.killRank() > rankUnwell })
	if bad < 0 || bad >= n {
		return all[:min(n, len(all))]
	}
	well := all[bad:]
	picked := a.balanced(well, n-bad)
	victims := append(all[:bad:bad], picked...)
	for _, m := range well {
		if len(victims) < n && !slices.Contains(picked, m) {
			victims = append(victims, m)
		}
	}
	return victims
}

// byAge orders by kill selection; what never ran dies before what did.
func (a *app) byAge(x, y *Instance) int {
	bx, by := x.began(), y.began()
	if (bx == 0) != (by == 0) {
		return cmp.Compare(min(bx, 1), min(by, 1))
	}
	if a.spec.KillSelection == spec.OldestFirst {
		return cmp.Compare(bx, by)
	}
	return cmp.Compare(by, bx)
}

// began is the time that age counts from.
func (i *Instance) began() int64 {
	if i.StartedAt != 0 {
		return int64(i.StartedAt)
	}
	return int64(i.StagedAt)
}

// rankUnwell is the last killRank of instances that do nobody any good.
const rankUnwell = 2

// killRank orders instances by how little is lost with them.
func (i *Instance) killRank() int {
	switch {
	case i.needsPlace():
		return 0
	case i.Condition == Provisioned || i.Condition == Killing:
		return 1
	case i.Condition == Unreachable || i.Healthy != nil && !*i.Healthy:
		return rankUnwell
	case i.Condition == Staging:
		return 3
	case i.Condition == Starting:
		return 4
	}
	return 5
}

// forget drops a removed app whose last instance is gone.
func (s *Scheduler) forget(a *app) {
	if s.apps[a.spec.ID] != a {
		return
	}
	delete(s.apps, a.spec.ID)
	s.unpin(a.spec)
	s.clearBackoff(a)
	s.dirty(appKey(a.spec.ID))
	if a.lastFailure != nil {
		s.dirty(failureKey(a.spec.ID))
	}
	s.touch(a)
	s.checksRemoved(a.spec)
	s.notify(AppTerminated{At: s.now, App: a.spec.ID})
}

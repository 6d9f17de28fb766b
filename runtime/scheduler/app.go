package scheduler

import (
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// app is one app with its instances, as the core holds it.
type app struct {
	spec      *spec.App // the definition in force; the last one when removed
	uncovered []string  // fields that keep it from being launched, see Config.Uncovered
	removed   bool      // deleted by its user; goes when its last instance is gone
	// target is how many instances to hold. It follows the definition when the
	// deployment's step says so.
	target  int
	members []*member // in the order of creation; gone ones are swept with the view
	gone    int       // how many of members are gone
	tally   [3][Unknown + 1]int

	lock    *running // the deployment that changes the app
	awaited int      // members that the lock's action waits to see healthy
	upgrade *upgrade // the restart under way, nil when there is none
	judging []*judging

	backoff     backoff
	pause       pause
	lastFailure *TaskFailure
	refusals    *placement.Refusals
	offerTimes  OfferTimes

	// arrivals counts instances that came back into the constraints' sight other
	// than by a launch; matchedAt is what it was when the match began.
	arrivals, matchedAt int

	wanting   bool // in demand.apps
	viewDirty bool
}

// member is an instance's place in the state; inst is replaced on every change.
type member struct {
	inst    *Instance // nil once it is gone
	app     *app
	awaited bool // see app.awaited
	saved   bool // it has a record
	// killing is the incarnation that is being killed although the instance is to
	// live on; 0 for none.
	killing    uint32
	hasArrived bool  // see arrived
	wasWell    bool  // has been healthy since it was started
	probing    uint8 // see probe
}

// count returns how many instances have the goal and one of the conditions.
func (a *app) count(g Goal, conditions ...Condition) int {
	n := 0
	for _, c := range conditions {
		n += a.tally[g][c]
	}
	return n
}

// total returns how many instances there are, whatever their state.
func (a *app) total() int { return len(a.members) - a.gone }

// doomed returns how many are to be killed and still there.
func (a *app) doomed() int {
	n := 0
	for _, c := range a.tally[GoalDecommissioned] {
		n += c
	}
	return n + a.count(GoalStopped, Provisioned, Staging, Starting, Running, Killing)
}

// held returns how many instances count against the target.
func (a *app) held() int {
	n := 0
	for c, k := range a.tally[GoalRunning] {
		if Condition(c) != UnreachableInactive {
			n += k
		}
	}
	return n
}

// waiting returns how many instances need a place.
func (a *app) waiting() int {
	return a.count(GoalRunning, Scheduled, Finished, Failed, Killed, Errored, Gone, Dropped, Unknown)
}

// needsPlace tells whether the instance waits for an offer.
func (i *Instance) needsPlace() bool {
	return i.Goal == GoalRunning && (i.Condition == Scheduled || i.Condition.Terminal())
}

// launched tells whether the instance has, or had, a task of its incarnation. One
// that lost what it had reserved is as if it never had.
func (i *Instance) launched() bool {
	return i.Incarnation > 0 && i.Agent != nil && i.Condition != Scheduled
}

// addMember has one more instance wait for a place: one that was stopped, else a
// new one.
func (s *Scheduler) addMember(a *app) {
	if a.spec.Resident() && s.rouse(a) {
		return
	}
	m := &member{app: a}
	inst := &Instance{ID: s.ids.next(), App: a.spec.ID, Version: a.spec.Version, Role: a.spec.Role, Since: s.now}
	s.members[inst.ID] = m
	a.members = append(a.members, m)
	s.put(m, inst)
	if a.lock != nil && a.upgrade == nil {
		s.await(m)
	}
	s.notify(InstanceChanged{At: s.now, Instance: inst})
}

// put replaces a member's instance and keeps every count right. It is the one
// place where an instance changes.
func (s *Scheduler) put(m *member, next *Instance) {
	a, old := m.app, m.inst
	s.replaced(m, next)
	if old != nil {
		a.tally[old.Goal][old.Condition]--
		s.tallyTotals(old, -1)
	}
	if m.inst != nil && next != nil && next.Condition != Provisioned && next.placed() && !m.inst.placed() {
		a.arrivals++
	}
	m.inst = next
	if next != nil {
		a.tally[next.Goal][next.Condition]++
		s.tallyTotals(next, 1)
		s.probe(m, old != nil && !next.sameAddress(old))
	}
	s.touch(a)
}

// tallyTotals keeps the totals for metrics.
func (s *Scheduler) tallyTotals(i *Instance, n int) {
	s.counts.Instances += n
	switch i.Condition {
	case Running:
		s.counts.Running += n
	case Provisioned, Staging, Starting:
		s.counts.Staged += n
	default: // the others count only as instances
	}
}

// touch marks the app's view as outdated.
func (s *Scheduler) touch(a *app) {
	if !a.viewDirty {
		a.viewDirty = true
		s.pending.dirtyApp = append(s.pending.dirtyApp, a)
	}
}

// expunge forgets an instance.
func (s *Scheduler) expunge(m *member) {
	inst := m.inst
	s.unawait(m)
	s.put(m, nil)
	m.app.gone++
	delete(s.members, inst.ID)
	if inst.Reservation != nil {
		s.releaseOf(inst)
	}
	s.rounds.heard(inst.ID)
	if m.saved {
		s.dirty(instanceKey(inst.ID))
	}
}

// await makes the app's action wait for the member to be healthy.
func (s *Scheduler) await(m *member) {
	if !m.awaited {
		m.awaited = true
		m.app.awaited++
		s.probe(m, false)
	}
}

func (s *Scheduler) unawait(m *member) {
	if m.awaited {
		m.awaited = false
		m.app.awaited--
		s.probe(m, false)
	}
}

// sweep drops the gone members once they are the larger part, so that the order
// is kept at a constant cost per instance.
func (a *app) sweep() {
	if a.gone*2 <= len(a.members) {
		return
	}
	kept := make([]*member, 0, a.total())
	for _, m := range a.members {
		if m.inst != nil {
			kept = append(kept, m)
		}
	}
	a.members, a.gone = kept, 0
}

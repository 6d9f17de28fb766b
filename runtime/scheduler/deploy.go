package scheduler

import (
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// running is a deployment under way. It holds the lock of each app it changes
// until it ends.
type running struct {
	plan    *deployment.Plan
	terms   Terms
	began   spec.Timestamp
	current int
	kill    map[spec.PathID][]UUID // instances that its scaling ends before others
	undoes  bool                   // it undoes another, and is not undone by itself
	busy    bool                   // progress is on the stack: what it causes is looked at there
	over    bool
}

// cancelled is the reason of a deployment that another one replaced.
const cancelled = "The upgrade has been cancelled"

// begin starts a deployment whose apps are not locked. A plan without steps
// succeeds at once and never shows.
func (s *Scheduler) begin(r *running) {
	s.pending.changed = true
	if len(r.plan.Steps) == 0 {
		s.notify(DeploymentEnded{At: s.now, Plan: r.plan})
		return
	}
	s.pinChanges(r.plan.Changes)
	s.enlist(r)
	s.standStill(r)
	s.dirty(deploymentKey(r.plan.ID))
	s.beginStep(r)
	s.progress(r)
}

// enlist takes the locks of a deployment.
func (s *Scheduler) enlist(r *running) {
	s.deployments = append(s.deployments, r)
	for _, id := range r.plan.Apps() {
		if a := s.apps[id]; a != nil {
			a.lock = r
			s.touch(a)
		}
	}
	if r.terms.Timeout > 0 {
		s.alarms.add(alarm{at: r.began.Add(r.terms.Timeout), kind: alarmTimeout, deployment: r})
	}
}

// standStill lets apps whose step is not the first keep what they have until it
// begins. A restart that was cancelled has left more instances than the app held
// before, or fewer. Those beyond its number that have no place yet are not to get
// one: it might be the one that the step before waits for.
func (s *Scheduler) standStill(r *running) {
	for _, id := range r.plan.Apps() {
		if a := s.apps[id]; a != nil && !a.removed {
			held := a.held()
			s.aim(a, held-max(0, min(held-a.spec.Instances, a.waiting())))
			s.converge(a)
		}
	}
}

// beginStep starts every action of the current step.
func (s *Scheduler) beginStep(r *running) {
	s.notify(StepBegun{At: s.now, Plan: r.plan, Step: r.current})
	s.pending.changed = true
	r.busy = true
	for _, action := range r.plan.Steps[r.current].Actions {
		s.beginAction(r, action)
	}
	r.busy = false
}

func (s *Scheduler) beginAction(r *running, action deployment.Action) {
	a := s.apps[action.App]
	if a == nil {
		return
	}
	switch action.Kind {
	case deployment.Start:
		s.checksAdded(a.spec)
	case deployment.Stop:
		s.doomAll(a)
		s.settle(a)
	case deployment.Scale:
		s.sentence(a, r.kill[action.App])
		s.aim(a, action.To)
		s.awaitStarting(a)
		s.converge(a)
	case deployment.Restart:
		s.checksAdded(a.spec)
		s.aim(a, action.To)
		s.beginUpgrade(a)
	}
}

// sentence ends the instances that a scaling was asked to end.
func (s *Scheduler) sentence(a *app, ids []UUID) {
	for _, id := range ids {
		if m := s.members[id]; m != nil && m.app == a && m.inst.Goal == GoalRunning {
			s.doom(m)
		}
	}
}

// awaitStarting makes the action wait for instances that are on their way
// already. One that has failed before is not awaited: it may never run.
func (s *Scheduler) awaitStarting(a *app) {
	for _, m := range a.members {
		if m.inst == nil || m.inst.Goal != GoalRunning {
			continue
		}
		if c := m.inst.Condition; c == Scheduled || c >= Provisioned && c <= Starting {
			s.await(m)
		}
	}
}

// goOn takes up a deployment where another leader left it. What was launched for
// its step is awaited again, though it may have failed meanwhile.
func (s *Scheduler) goOn(r *running) {
	s.beginStep(r)
	for _, action := range r.plan.Steps[r.current].Actions {
		a := s.apps[action.App]
		if a == nil || action.Kind != deployment.Scale {
			continue
		}
		for _, m := range a.members {
			if i := m.inst; i != nil && i.Goal == GoalRunning && i.StagedAt >= r.began && !s.arrived(m) && !i.ranOutOfReach() {
				s.await(m)
			}
		}
	}
	s.progress(r)
}

// ranOutOfReach tells whether nobody can reach the instance and it has run, or is
// replaced.
func (i *Instance) ranOutOfReach() bool {
	return i.Condition == UnreachableInactive || i.Condition == Unreachable && i.StartedAt != 0
}

// done tells whether an action has nothing left to do.
func (s *Scheduler) done(action deployment.Action) bool {
	a := s.apps[action.App]
	switch {
	case a == nil:
		return true
	case action.Kind == deployment.Stop:
		return false // the app goes when it is done
	case action.Kind == deployment.Scale:
		return a.awaited == 0 && a.doomed() == 0
	case action.Kind == deployment.Restart:
		return a.upgrade == nil || s.upgradeDone(a)
	}
	return true
}

// progress ends the current step when it is done, and those after it that have
// nothing to wait for.
func (s *Scheduler) progress(r *running) {
	if r.busy || r.over {
		return
	}
	for r.current < len(r.plan.Steps) {
		for _, action := range r.plan.Steps[r.current].Actions {
			if !s.done(action) {
				return
			}
		}
		s.endStep(r)
	}
	s.end(r, Succeeded, "")
}

// endStep closes the current step and begins the next.
func (s *Scheduler) endStep(r *running) {
	for _, action := range r.plan.Steps[r.current].Actions {
		if a := s.apps[action.App]; a != nil && action.Kind == deployment.Restart {
			s.endUpgrade(a)
			s.checksReplaced(r.plan, action.App)
		}
	}
	s.notify(StepEnded{At: s.now, Plan: r.plan, Step: r.current})
	r.current++
	if r.current < len(r.plan.Steps) {
		s.dirty(deploymentKey(r.plan.ID))
		s.beginStep(r)
	}
}

// end takes a deployment off the list and frees its apps. What it did so far
// stays. The reason is "" when it succeeded.
func (s *Scheduler) end(r *running, outcome Outcome, reason string) {
	s.pending.changed = true
	r.over = true
	s.deployments = slices.DeleteFunc(s.deployments, func(x *running) bool { return x == r })
	s.dirty(deploymentKey(r.plan.ID))
	s.record(r, outcome, reason)
	for _, id := range r.plan.Apps() {
		if a := s.apps[id]; a != nil && a.lock == r {
			s.unlock(a)
		}
	}
	s.unpinChanges(r.plan.Changes)
	if outcome != Succeeded {
		s.notify(StepFailed{At: s.now, Plan: r.plan, Step: r.current})
	}
	s.notify(DeploymentEnded{At: s.now, Plan: r.plan, Failed: outcome != Succeeded, Reason: reason})
}

func (s *Scheduler) unlock(a *app) {
	a.lock = nil
	s.endUpgrade(a)
	for _, m := range a.members {
		if m.inst != nil {
			s.unawait(m)
		}
	}
	s.touch(a)
}

// timeout ends a deployment that has taken longer than it may.
func (s *Scheduler) timeout(r *running) {
	if r.over {
		return
	}
	s.giveUp(r, TimedOut, fmt.Sprintf("The deployment did not finish within %s", r.terms.Timeout), r.terms.RollBack)
}

// giveUp ends a deployment that failed, and undoes it when that is asked for.
func (s *Scheduler) giveUp(r *running, outcome Outcome, reason string, undo bool) {
	s.end(r, outcome, reason)
	if undo {
		if err := s.undo(r, s.ids.next().String(), Terms{By: r.terms.By}); err == nil {
			return
		}
	}
	s.recover(r, nil)
}

// undo deploys what was before a deployment, which is over or is cancelled for it.
// What undoes it is not undone: that would bring back what was to go.
func (s *Scheduler) undo(r *running, id string, terms Terms) error {
	terms.RollBack = false
	c := &ChangeTree{DeploymentID: id, Force: true, Terms: terms}
	undo, err := s.planChange(c, r.plan.Revert(s.tree))
	if err != nil {
		return err
	}
	undo.undoes = true
	s.notify(GroupChanged{At: s.now, Group: spec.Root, Version: undo.plan.Version})
	s.begin(undo)
	s.recover(r, undo.plan)
	return nil
}

// onCancelDeployment ends a deployment for a user.
func (s *Scheduler) onCancelDeployment(c CancelDeployment) {
	r := s.findDeployment(c.ID)
	switch {
	case r == nil:
		s.reply(Reply{Request: c.Request, Err: &DeploymentNotFound{ID: c.ID}})
	case s.checkReviewed(c.Reviewed, spec.Root) != nil:
		s.reply(Reply{Request: c.Request, Err: &Stale{App: spec.Root}})
	case c.Force:
		s.reply(Reply{Request: c.Request})
		s.giveUp(r, Cancelled, cancelled, false)
	case len(s.deployments) >= s.cfg.MaxDeployments:
		s.reply(Reply{Request: c.Request, Err: &TooManyDeployments{Limit: s.cfg.MaxDeployments}})
	default:
		s.rollBack(c, r)
	}
}

// rollBack answers with the deployment that undoes another.
func (s *Scheduler) rollBack(c CancelDeployment, r *running) {
	version := s.nextVersion()
	if err := s.undo(r, c.DeploymentID, c.Terms); err != nil {
		s.reply(Reply{Request: c.Request, Err: err})
		return
	}
	if !r.over { // nothing was left to undo: it ends all the same
		s.giveUp(r, Cancelled, cancelled, false)
	}
	s.reply(Reply{Request: c.Request, DeploymentID: c.DeploymentID, Version: version})
}

// findDeployment returns the one with the id, or nil.
func (s *Scheduler) findDeployment(id string) *running {
	for _, r := range s.deployments {
		if r.plan.ID == id {
			return r
		}
	}
	return nil
}

package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
)

// running is a deployment under way. It holds the lock of each app it changes
// until it ends.
type running struct {
	plan    *deployment.Plan
	current int
	busy    bool // progress is on the stack: what it causes is looked at there
}

// cancelled is the reason of a deployment that another one replaced.
const cancelled = "The upgrade has been cancelled"

// begin starts a deployment whose apps are not locked. A plan without steps
// succeeds at once and never shows.
func (s *Scheduler) begin(plan *deployment.Plan) {
	s.pending.changed = true
	if len(plan.Steps) == 0 {
		s.notify(DeploymentEnded{At: s.now, Plan: plan})
		return
	}
	r := &running{plan: plan}
	s.deployments = append(s.deployments, r)
	for _, id := range plan.Apps() {
		s.apps[id].lock = r
		s.touch(s.apps[id])
	}
	s.dirty(deploymentKey(plan.ID))
	s.beginStep(r)
	s.progress(r)
}

// beginStep starts every action of the current step.
func (s *Scheduler) beginStep(r *running) {
	s.notify(StepBegun{At: s.now, Plan: r.plan, Step: r.current})
	s.pending.changed = true
	r.busy = true
	for _, action := range r.plan.Steps[r.current].Actions {
		s.beginAction(action)
	}
	r.busy = false
}

func (s *Scheduler) beginAction(action deployment.Action) {
	a := s.apps[action.App]
	if a == nil {
		return
	}
	switch action.Kind {
	case deployment.Start:
	case deployment.Stop:
		s.doomAll(a)
		s.settle(a)
	case deployment.Scale:
		if a.target != action.To {
			a.target = action.To
			s.dirty(appKey(a.spec.ID))
		}
		s.awaitStarting(a)
		s.converge(a)
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
	}
	return true
}

// progress ends the current step when it is done, and those after it that have
// nothing to wait for.
func (s *Scheduler) progress(r *running) {
	if r.busy {
		return
	}
	for r.current < len(r.plan.Steps) {
		for _, action := range r.plan.Steps[r.current].Actions {
			if !s.done(action) {
				return
			}
		}
		s.notify(StepEnded{At: s.now, Plan: r.plan, Step: r.current})
		r.current++
		if r.current < len(r.plan.Steps) {
			s.dirty(deploymentKey(r.plan.ID))
			s.beginStep(r)
		}
	}
	s.end(r, "")
}

// end takes a deployment off the list and frees its apps. A reason means that it
// failed; what it did so far stays.
func (s *Scheduler) end(r *running, reason string) {
	s.pending.changed = true
	s.deployments = slices.DeleteFunc(s.deployments, func(x *running) bool { return x == r })
	s.dirty(deploymentKey(r.plan.ID))
	for _, id := range r.plan.Apps() {
		if a := s.apps[id]; a != nil && a.lock == r {
			s.unlock(a)
		}
	}
	s.notify(DeploymentEnded{At: s.now, Plan: r.plan, Failed: reason != "", Reason: reason})
}

func (s *Scheduler) unlock(a *app) {
	a.lock = nil
	for _, m := range a.members {
		if m.inst != nil {
			s.unawait(m)
		}
	}
	s.touch(a)
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

package scheduler

import "slices"

// PoliciesChanged says that the policies are others than before, or one that failed
// works again: what waits for an answer is asked at once.
type PoliciesChanged struct{ Request RequestID } // 0: nobody waits for a reply

func (PoliciesChanged) event() {}

// onPoliciesChanged forgets the faults of the policies there were. What is asked just
// now is asked of those, too: its faults do not count.
func (s *Scheduler) onPoliciesChanged(c PoliciesChanged) {
	s.demand.outdated = s.demand.out
	for _, a := range s.appsInOrder() {
		s.endPause(a)
		if a.refusals != nil && a.refusals.Fault != nil {
			s.forgetRefusals(a)
		}
		s.want(a) // who was refused may have a place by the new ones
		if u := a.upgrade; u != nil && (u.cause != "" || u.asked != 0) {
			u.cause, u.failed, u.outdated = "", nil, u.asked != 0
			s.touch(a)
			s.look(a)
		}
		s.judgeAnew(a)
	}
	if c.Request != 0 {
		s.reply(Reply{Request: c.Request})
	}
}

// forgetRefusals has the app matched again as if nothing had been tried.
func (s *Scheduler) forgetRefusals(a *app) {
	a.refusals = nil
	s.touch(a)
	s.want(a)
}

// judgeAnew has the rules of an app asked again that gave no answer.
func (s *Scheduler) judgeAnew(a *app) {
	for _, j := range slices.Clone(a.judging) {
		j.outdated = j.asked != 0
		if j.cause == "" {
			continue
		}
		j.cause, j.failed, j.standIn, j.retry = "", nil, false, 0
		s.touch(a)
		if len(j.due) > 0 || j.asked != 0 {
			s.queueJudging(j)
		} else {
			a.dropJudging(j)
		}
	}
}

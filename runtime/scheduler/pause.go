package scheduler

import (
	"context"
	"errors"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Pauses after a policy's fault. The first is longer than the driver keeps a
// constraint that could not be prepared; the longest is shorter than offers are
// declined for.
const (
	firstPause   = 10 * time.Second
	longestPause = 80 * time.Second
)

// pause keeps an app out of matches after a fault of one of its policies. Nobody
// refused it, so it must not wait for refused offers to come back; nor may a
// module that fails for ever cost every match its fuel. It is not saved: another
// leader tries at once.
type pause struct {
	length time.Duration  // of the last one; 0: the last match had no fault
	until  spec.Timestamp // 0: it is over
}

// heldBack tells whether the app may not be matched, or not yet.
func (s *Scheduler) heldBack(a *app) bool {
	return len(a.uncovered) > 0 || s.now < a.backoff.until || s.now < a.pause.until
}

// judgeFault begins a pause after a match in which a policy of the app failed;
// nil is a match without a fault. A policy whose time was used up by others is
// not at fault: its pauses stay short, so that the next one finds those others
// in theirs.
func (s *Scheduler) judgeFault(a *app, fault error) {
	if fault == nil {
		a.pause = pause{}
		return
	}
	length := firstPause
	if !errors.Is(fault, context.DeadlineExceeded) {
		length = min(max(2*a.pause.length, firstPause), longestPause)
	}
	a.pause = pause{length: length, until: s.now.Add(length)}
	s.alarms.add(alarm{at: a.pause.until, kind: alarmPause, app: a})
}

// endPause forgets faults of the app that may be mended, and a pause under way.
func (s *Scheduler) endPause(a *app) {
	if a.pause != (pause{}) {
		a.pause = pause{}
		s.touch(a)
		s.want(a)
	}
}

// pauseOver lets the app look for places again, and for offers that were
// declined meanwhile.
func (s *Scheduler) pauseOver(a *app) {
	if s.apps[a.spec.ID] == a && a.pause.until != 0 && s.now >= a.pause.until {
		a.pause.until = 0
		s.touch(a)
		s.want(a)
	}
}

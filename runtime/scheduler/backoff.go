package scheduler

import (
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// backoff delays the launches of an app that fails. It follows Marathon's rate
// limiter: every failure lengthens the delay, a launch or a running task starts
// its count anew, and it is forgotten once maxLaunchDelay has passed since.
type backoff struct {
	delay time.Duration  // 0: none
	since spec.Timestamp // what the delay counts from
	until spec.Timestamp // since + delay
}

// expired tells whether the delay is so old that it is forgiven.
func (b backoff) expired(a *spec.App, now spec.Timestamp) bool {
	return now > b.since.Add(a.MaxLaunchDelay) && now >= b.until
}

// delayLaunch lengthens the delay after a failure.
func (s *Scheduler) delayLaunch(a *app) {
	b := &a.backoff
	if b.delay == 0 || b.expired(a.spec, s.now) {
		b.delay = min(a.spec.Backoff, a.spec.MaxLaunchDelay)
	} else {
		b.delay = min(time.Duration(float64(b.delay)*a.spec.BackoffFactor), a.spec.MaxLaunchDelay)
	}
	s.setBackoff(a, b.delay)
	s.dirty(backoffKey(a.spec.ID))
}

// advanceBackoff lets the delay count from now. It is not saved: after a change
// of leader the delay counts from the last failure, which is never longer.
func (s *Scheduler) advanceBackoff(a *app) {
	switch {
	case a.backoff.delay == 0:
	case a.backoff.expired(a.spec, s.now):
		s.clearBackoff(a)
	default:
		s.setBackoff(a, a.backoff.delay)
	}
}

func (s *Scheduler) setBackoff(a *app, delay time.Duration) {
	a.backoff = backoff{delay: delay, since: s.now, until: s.now.Add(delay)}
	s.alarms.add(alarm{at: a.backoff.until, kind: alarmBackoff, app: a})
	s.touch(a)
}

// clearBackoff forgets the delay.
func (s *Scheduler) clearBackoff(a *app) {
	if a.backoff.delay != 0 {
		a.backoff = backoff{}
		s.dirty(backoffKey(a.spec.ID))
		s.touch(a)
	}
}

// backoffOver lets the app's instances look for places again.
func (s *Scheduler) backoffOver(a *app) {
	if s.apps[a.spec.ID] == a && s.now >= a.backoff.until {
		s.want(a)
	}
}

package scheduler

import (
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// backoff delays the launches of an app that fails. It follows Marathon's rate
// limiter: every failure lengthens the delay, and it is forgiven once
// maxLaunchDelay has passed since the last failure or launch.
type backoff struct {
	delay time.Duration  // 0: none
	since spec.Timestamp // of the last failure or launch
	until spec.Timestamp // nothing is launched before
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
	b.since, b.until = s.now, s.now.Add(b.delay)
	s.alarms.add(alarm{at: b.until, kind: alarmBackoff, app: a})
	s.touch(a)
	s.dirty(backoffKey(a.spec.ID))
}

// advanceBackoff lets the time after which the delay is forgiven count from now:
// an instance is on its way or runs. It does not hold back others that are due.
// It is not saved: after a change of leader the time counts from the last failure.
func (s *Scheduler) advanceBackoff(a *app) {
	switch {
	case a.backoff.delay == 0:
	case a.backoff.expired(a.spec, s.now):
		s.clearBackoff(a)
	default:
		a.backoff.since = s.now
	}
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

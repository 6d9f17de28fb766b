package health

import (
	"container/heap"
	"context"
	"time"
)

// target is what a schedule knows of one target. At most one probe of it is under
// way.
type target struct {
	probe *probe // as it is wanted now
	round uint64 // of the last Update that named it

	// slot is the target's place in time: a moment from which the others are whole
	// intervals away. due is when the next probe may start, which is later when
	// the probe before took so long.
	slot, due time.Time
	placed    bool // slot is one; before the second probe it is not
	index     int  // in the heap; -1 when it is not there
	queued    bool // due, and waiting for its turn
	busy      bool // a probe is under way
	gone      bool
	slow      bool // the last probe had no answer in time
	asSlow    bool // the probe under way counts as one of the slow ones
	keeps     bool // may keep a connection
	asks      uint64
	cancel    context.CancelFunc // gives up the probe under way
}

// schedule says which target is next. It is guarded by the prober's lock.
type schedule struct {
	limit, slowLimit int // probes under way, and of these of slow targets
	keep             int // targets that may keep a connection

	targets  map[Key]*target
	round    uint64
	later    byDue // not due yet when it was looked at last
	ready    queue // due
	slow     queue // due, and slow
	underWay int
	slowOnes int // of these
	kept     int
}

// put adds a target or replaces the one of its key.
func (s *schedule) put(wanted *Target, now time.Time) {
	t := s.targets[wanted.Key]
	if wanted.Protocol.ByMesos() {
		if t != nil {
			s.remove(t)
		}
		return
	}
	normal := wanted.normal()
	if t == nil {
		t = &target{probe: newProbe(normal), index: -1, round: s.round}
		s.targets[wanted.Key] = t
		s.begin(t, now)
		s.assign(t)
		return
	}
	t.round = s.round
	if !t.probe.equal(&normal) {
		s.replace(t, newProbe(normal), now)
	}
}

// replace gives a target other settings. It keeps its place in time if it can.
func (s *schedule) replace(t *target, p *probe, now time.Time) {
	old := t.probe
	t.probe, t.slow = p, false
	s.assign(t)
	switch {
	case t.busy: // finish does the rest
		t.cancel()
		t.placed = t.placed && old.sameRhythm(p)
	case t.queued:
		t.placed = t.placed && old.sameRhythm(p)
	case t.index < 0 || !old.sameRhythm(p): // it was ready, or has another rhythm
		s.begin(t, now)
	}
}

// begin gives a target its first time.
func (s *schedule) begin(t *target, now time.Time) {
	t.placed, t.due = false, now
	if t.probe.Readiness == nil {
		t.due = now.Add(t.probe.lead())
	}
	s.enter(t)
}

// enter puts a target where it is found when it is due.
func (s *schedule) enter(t *target) {
	if t.index >= 0 {
		heap.Fix(&s.later, t.index)
		return
	}
	heap.Push(&s.later, t)
}

// remove ends a target.
func (s *schedule) remove(t *target) {
	delete(s.targets, t.probe.Key)
	t.gone = true
	if t.index >= 0 {
		heap.Remove(&s.later, t.index)
	}
	if t.busy {
		t.cancel()
	}
	if t.keeps {
		t.keeps = false
		s.kept--
	}
}

// assign says whether a target may keep a connection. Who may does not change with
// time: if the latest ones took the places of others in turn, none would find its
// connection again.
func (s *schedule) assign(t *target) {
	if t.keeps {
		s.kept--
	}
	if t.keeps = t.probe.keepable() && s.kept < s.keep; t.keeps {
		s.kept++
	}
}

// collect moves what is due into the queues.
func (s *schedule) collect(now time.Time) {
	for len(s.later) > 0 && !s.later[0].due.After(now) {
		t := heap.Pop(&s.later).(*target)
		t.queued = true
		if t.slow {
			s.slow = append(s.slow, t)
		} else {
			s.ready = append(s.ready, t)
		}
	}
}

// next is the target whose probe is to start now; nil when none is, or may.
func (s *schedule) next() *target {
	if s.underWay >= s.limit {
		return nil
	}
	from := &s.ready
	if slow := s.slow.head(); slow != nil && s.slowOnes < s.slowLimit {
		if head := s.ready.head(); head == nil || slow.due.Before(head.due) {
			from = &s.slow
		}
	}
	t := from.head()
	if t == nil {
		return nil
	}
	from.pop()
	t.queued, t.busy = false, true
	t.asks++
	s.underWay++
	if t.asSlow = from == &s.slow; t.asSlow {
		s.slowOnes++
	}
	return t
}

// wait is how long from now nothing more will be due.
func (s *schedule) wait(now time.Time) time.Duration {
	if len(s.later) == 0 {
		return time.Hour
	}
	return max(0, s.later[0].due.Sub(now))
}

// finish takes a target back whose probe has ended, and gives it its next time
// unless there is none.
func (s *schedule) finish(t *target, asked *probe, found *outcome, now time.Time) {
	s.underWay--
	if t.asSlow {
		s.slowOnes--
	}
	t.busy = false
	if t.gone {
		return
	}
	current := t.probe == asked
	t.slow = current && found.late
	switch {
	case !current && !t.placed:
		s.begin(t, now)
		return
	case t.probe.Readiness == nil:
		t.advance(now)
	case found.good:
		return // ready is final
	default:
		t.due = now.Add(t.probe.Interval)
	}
	s.enter(t)
}

// advance moves a target on to its next slot. Of slots that passed meanwhile the
// last one is made up for, at once.
func (t *target) advance(now time.Time) {
	interval := t.probe.Interval
	if t.placed {
		t.slot = t.slot.Add(interval)
	} else {
		t.slot, t.placed = t.probe.slotFrom(t.due.Add(interval/2)), true
	}
	if missed := now.Sub(t.slot) / interval; missed > 0 {
		t.slot = t.slot.Add(missed * interval)
	}
	t.due = t.slot
	if t.due.Before(now) {
		t.due = now
	}
}

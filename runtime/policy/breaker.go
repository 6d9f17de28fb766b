package policy

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// What makes a module one in quarantine, and for how long.
const (
	breakerFaults = 5
	breakerWindow = time.Minute
	firstPause    = 30 * time.Second
	longestPause  = 16 * time.Minute
)

// breaker keeps calls away from a version that fails again and again. Now and then
// it lets one through to see whether that is over. Its methods may be called by
// many goroutines; the zero value is a closed one.
type breaker struct {
	open atomic.Bool  // this and row are all that calls look at as long as all is well
	row  atomic.Int32 // faults since a call worked

	mu      sync.Mutex
	recent  []time.Time // of the last faults, breakerFaults at most
	trips   int         // since it was closed
	until   time.Time   // before that, no call is let through
	probing bool        // one is out
}

// pass says whether a call may be made now. probe is for done; only who may try has it.
func (b *breaker) pass(now time.Time, mayTry bool) (probe bool, refusal string) {
	if !b.open.Load() {
		return false, ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open.Load():
		return false, ""
	case now.Before(b.until):
		return false, fmt.Sprintf("quarantined after %d faults; next try in %v", breakerFaults, roundUp(b.until.Sub(now)))
	case b.probing:
		return false, fmt.Sprintf("quarantined after %d faults; it is being tried now", breakerFaults)
	case !mayTry:
		return false, fmt.Sprintf("quarantined after %d faults; it is tried with the next call", breakerFaults)
	}
	b.probing = true
	return true, ""
}

// roundUp is for people, who should not read "in 0s".
func roundUp(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// outcome is how a call ended.
type outcome uint8

const (
	worked outcome = iota
	failed
	neither // the caller gave up
)

// works notes that a call worked: what a module may fail in a row begins anew.
func (b *breaker) works() {
	if b.row.Load() != 0 {
		b.row.Store(0)
	}
}

// done notes the end of a call that was let through. tripped is true when the
// quarantine begins with it, not when it goes on.
func (b *breaker) done(now time.Time, probe bool, end outcome) (tripped bool) {
	if end == worked {
		b.works()
	}
	if !probe && end != failed {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case probe && end == worked:
		b.recent, b.trips, b.probing = nil, 0, false
		b.open.Store(false)
	case probe && end == neither:
		b.probing = false
	case probe:
		b.probing = false
		b.pause(now)
	case !b.open.Load():
		return b.count(now)
	}
	return false
}

// count notes a fault while the breaker is closed. Faults in a row count however long
// they take: what waits for a module that always fails tries less and less often.
func (b *breaker) count(now time.Time) (tripped bool) {
	if len(b.recent) == breakerFaults {
		b.recent = append(b.recent[:0], b.recent[1:]...)
	}
	b.recent = append(b.recent, now)
	row := b.row.Add(1)
	if len(b.recent) < breakerFaults || now.Sub(b.recent[0]) > breakerWindow && row < breakerFaults {
		return false
	}
	b.pause(now)
	b.open.Store(true)
	return true
}

// pause doubles each time.
func (b *breaker) pause(now time.Time) {
	b.until = now.Add(min(firstPause<<min(b.trips, 10), longestPause))
	b.trips++
}

// nextTry is when the next call is let through; zero for a closed breaker.
func (b *breaker) nextTry() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open.Load() {
		return time.Time{}
	}
	return b.until
}

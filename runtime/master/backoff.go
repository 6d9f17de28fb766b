package master

import "time"

// backoff counts failed attempts to subscribe.
type backoff struct {
	limits Backoff
	random func() float64
	next   time.Duration
}

// wait is the time until the next attempt, longer each time. Its random part
// keeps frameworks that lost the same master from coming back as one.
func (b *backoff) wait() time.Duration {
	full := min(max(b.next, b.limits.First), b.limits.Most)
	b.next = min(2*full, b.limits.Most)
	return full/2 + time.Duration(b.random()*float64(full/2))
}

// reset begins anew after a subscription that held.
func (b *backoff) reset() { b.next = 0 }

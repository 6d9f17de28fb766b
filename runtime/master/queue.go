package master

import (
	"context"
	"sync"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// maxQueued bounds the calls that wait: enough for a core that answers a status of
// every task of a large cluster at once.
const maxQueued = 1 << 18

// queued is a call that waits, with the subscription it belongs to.
type queued struct {
	sub  *subscription
	call scheduler.Call
}

// queue keeps calls in order. Putting never waits: the core would wait with it, and
// with the core everything else.
type queue struct {
	ready chan struct{} // has a token when calls may be there

	mu    sync.Mutex
	calls []queued // those not yet taken, the oldest first
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// put adds a call; false when the queue is full.
func (q *queue) put(call queued) bool {
	q.mu.Lock()
	full := len(q.calls) >= maxQueued
	if !full {
		q.calls = append(q.calls, call)
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return !full
}

// take removes the oldest call and waits for one if there is none; false when ctx
// has ended.
func (q *queue) take(ctx context.Context) (queued, bool) {
	for ctx.Err() == nil {
		if call, ok := q.pop(); ok {
			return call, true
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
		}
	}
	return queued{}, false
}

func (q *queue) pop() (queued, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.calls) == 0 {
		return queued{}, false
	}
	call := q.calls[0]
	q.calls[0] = queued{} // the array outlives the call
	q.calls = q.calls[1:]
	return call, true
}
